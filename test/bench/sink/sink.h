// What the three files of the sink share. See sink.c for what the sink is.
#pragma once
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

// --- text.c: a string that grows ---------------------------------------------

typedef struct {
  char *at; // always ends in a zero once something was added
  size_t len, room;
} text;

void add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void add_bytes(text *t, const char *bytes, size_t n);
void add_xml(text *t, const char *s);
void add_json(text *t, const char *s);
void drop_text(text *t);
void decode_percent(char *into, size_t room, const char *s);
int has_query(const char *query, const char *name);
// The decoded value; empty when the query does not have it.
void get_query(const char *query, const char *name, char *into, size_t room);
void md5_hex(const void *bytes, size_t n, char into[33]);

// --- objects.c: what was "stored": names, sizes and ETags, never content ------

enum { ETAG_ROOM = 64, KEY_ROOM = 4096, PARTS_MAX = 10000, PAGE_MAX = 1000 };

typedef struct {
  uint64_t size;
  time_t at;
  char etag[ETAG_ROOM]; // as it is sent: with quotes where the protocol has them
  char *headers;        // sent again with HEAD; whole lines
  char *key;
} object;

void put_object(const char *key, uint64_t size, const char *etag, const char *headers);
// A copy, to be given to drop_object; 0 when there is none.
int get_object(const char *key, object *into);
void drop_object(object *o);
void delete_object(const char *key);
// Copies of the objects whose key begins with `prefix` and comes after `marker`, in order of their keys.
size_t list_objects(const char *prefix, const char *marker, size_t limit, object **rows);

typedef struct {
  int number;
  uint64_t size;
  time_t at;
  char md5[33]; // or whatever stands in for it
  char checks[256];
} part;

enum verdict { DONE, NO_SUCH_UPLOAD, INVALID_PART };

unsigned long long begin_upload(void);
enum verdict put_part(unsigned long long id, const part *p);
enum verdict list_parts(unsigned long long id, int marker, int limit, part *rows, int *count, int *truncated);
// Joins these parts, in this order, into the object at `key`. `true_md5`: the ETag is computed from the parts' md5s.
enum verdict complete_upload(unsigned long long id, const char *key, const int *numbers, int count, int true_md5,
                             const char *headers, char etag[ETAG_ROOM]);
enum verdict abort_upload(unsigned long long id);
void forget_everything(void);

// --- answer.c: one request in, one answer out ---------------------------------

typedef struct {
  char method[12], path[KEY_ROOM], query[KEY_ROOM];
  char checks[1024]; // the x-amz-checksum-* lines of the request
  text kept;         // the body, where it means something (see keeps_body)
  int kept_too_long;
  uint64_t size; // of the body, without any chunk framing
  char md5[33];  // empty where no md5 is asked for
  int tls;
} request;

// Whether the sink has to read this request's body: a part list or an SLO manifest. All other bodies are dropped.
int keeps_body(const request *q);
enum { KEPT_MAX = 8 << 20 };

// The whole answer, head and body; for the caller to free.
char *answer(request *q, int keep_alive, size_t *length);

typedef struct {
  int md5, delay, verbose, http_port, https_port, threads;
} options;
extern options opt;

typedef struct {
  atomic_ullong requests, bytes, other_bytes, conns, tls, put, part, create, complete, abort, head, get, del, post,
      listparts, manifest, expect100, chunked, maxconn, cut, maxinflight;
} counters;
extern counters count;
