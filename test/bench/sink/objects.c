#include "sink.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

// --- objects ------------------------------------------------------------------

enum { BUCKETS = 65536 };
typedef struct node {
  struct node *next;
  object o;
} node;
static node *table[BUCKETS];

static node **find(const char *key) {
  unsigned h = 2166136261u;
  for (const char *s = key; *s; s++) h = (h ^ (unsigned char)*s) * 16777619u;
  node **p = &table[h % BUCKETS];
  while (*p && strcmp((*p)->o.key, key)) p = &(*p)->next;
  return p;
}

static void put_locked(const char *key, uint64_t size, const char *etag, const char *headers) {
  node **p = find(key);
  if (!*p) {
    *p = calloc(1, sizeof **p);
    (*p)->o.key = strdup(key);
  }
  object *o = &(*p)->o;
  free(o->headers);
  o->headers = strdup(headers);
  o->size = size;
  o->at = time(NULL);
  snprintf(o->etag, sizeof o->etag, "%s", etag);
}

void put_object(const char *key, uint64_t size, const char *etag, const char *headers) {
  pthread_mutex_lock(&mutex);
  put_locked(key, size, etag, headers);
  pthread_mutex_unlock(&mutex);
}

static void copy_object(object *into, const object *o) {
  *into = *o;
  into->key = strdup(o->key);
  into->headers = strdup(o->headers);
}

void drop_object(object *o) {
  free(o->key);
  free(o->headers);
}

int get_object(const char *key, object *into) {
  pthread_mutex_lock(&mutex);
  node *n = *find(key);
  if (n) copy_object(into, &n->o);
  pthread_mutex_unlock(&mutex);
  return n != NULL;
}

static void delete_at(node **p) {
  node *n = *p;
  *p = n->next;
  drop_object(&n->o);
  free(n);
}

void delete_object(const char *key) {
  pthread_mutex_lock(&mutex);
  node **p = find(key);
  if (*p) delete_at(p);
  pthread_mutex_unlock(&mutex);
}

static int by_key(const void *a, const void *b) { return strcmp(((const object *)a)->key, ((const object *)b)->key); }

size_t list_objects(const char *prefix, const char *marker, size_t limit, object **rows) {
  size_t n = 0, room = 0;
  *rows = NULL;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < BUCKETS; i++)
    for (node *o = table[i]; o; o = o->next) {
      if (strncmp(o->o.key, prefix, strlen(prefix)) || strcmp(o->o.key, marker) <= 0) continue;
      if (n == room) *rows = realloc(*rows, (room = room * 2 + 64) * sizeof **rows);
      copy_object(&(*rows)[n++], &o->o);
    }
  pthread_mutex_unlock(&mutex);
  if (n) qsort(*rows, n, sizeof **rows, by_key);
  while (n > limit) drop_object(&(*rows)[--n]);
  return n;
}

// --- uploads ------------------------------------------------------------------

typedef struct upload {
  struct upload *next;
  unsigned long long id;
  part *parts[PARTS_MAX + 1]; // by number
} upload;
static upload *uploads;

static upload **find_upload(unsigned long long id) {
  upload **p = &uploads;
  while (*p && (*p)->id != id) p = &(*p)->next;
  return p;
}

static void drop_upload(upload **p) {
  upload *u = *p;
  *p = u->next;
  for (int i = 0; i <= PARTS_MAX; i++) free(u->parts[i]);
  free(u);
}

unsigned long long begin_upload(void) {
  static unsigned long long last;
  upload *u = calloc(1, sizeof *u);
  pthread_mutex_lock(&mutex);
  unsigned long long id = u->id = ++last;
  u->next = uploads;
  uploads = u;
  pthread_mutex_unlock(&mutex);
  return id;
}

enum verdict put_part(unsigned long long id, const part *p) {
  pthread_mutex_lock(&mutex);
  upload *u = *find_upload(id);
  enum verdict v = !u ? NO_SUCH_UPLOAD : p->number < 1 || p->number > PARTS_MAX ? INVALID_PART : DONE;
  if (v == DONE) {
    if (!u->parts[p->number]) u->parts[p->number] = malloc(sizeof *p);
    *u->parts[p->number] = *p;
  }
  pthread_mutex_unlock(&mutex);
  return v;
}

enum verdict list_parts(unsigned long long id, int marker, int limit, part *rows, int *n, int *truncated) {
  *n = *truncated = 0;
  pthread_mutex_lock(&mutex);
  upload *u = *find_upload(id);
  for (int i = marker + 1; u && i <= PARTS_MAX; i++) {
    if (!u->parts[i]) continue;
    if (*n == limit) {
      *truncated = 1;
      break;
    }
    rows[(*n)++] = *u->parts[i];
  }
  pthread_mutex_unlock(&mutex);
  return u ? DONE : NO_SUCH_UPLOAD;
}

static enum verdict join_parts(upload *u, const int *numbers, int n, int true_md5, uint64_t *size, char *etag) {
  text md5s = {0};
  enum verdict v = DONE;
  char whole[33] = "0123456789abcdef0123456789abcdef";
  *size = 0;
  for (int i = 0; i < n && v == DONE; i++) {
    part *p = numbers[i] < 1 || numbers[i] > PARTS_MAX ? NULL : u->parts[numbers[i]];
    if (!p) {
      v = INVALID_PART;
      break;
    }
    *size += p->size;
    for (int j = 0; true_md5 && j < 16; j++) {
      unsigned byte = 0;
      sscanf(p->md5 + 2 * j, "%2x", &byte);
      add_bytes(&md5s, (char[]){byte}, 1);
    }
  }
  if (true_md5 && v == DONE) md5_hex(md5s.at, md5s.len, whole);
  snprintf(etag, ETAG_ROOM, "\"%s-%d\"", whole, n);
  drop_text(&md5s);
  return v;
}

enum verdict complete_upload(unsigned long long id, const char *key, const int *numbers, int n, int true_md5,
                             const char *headers, char etag[ETAG_ROOM]) {
  enum verdict v = NO_SUCH_UPLOAD;
  uint64_t size;
  pthread_mutex_lock(&mutex);
  upload **u = find_upload(id);
  if (*u) v = join_parts(*u, numbers, n, true_md5, &size, etag);
  if (v == DONE) {
    drop_upload(u);
    put_locked(key, size, etag, headers);
  }
  pthread_mutex_unlock(&mutex);
  return v;
}

enum verdict abort_upload(unsigned long long id) {
  pthread_mutex_lock(&mutex);
  upload **u = find_upload(id);
  enum verdict v = *u ? DONE : NO_SUCH_UPLOAD;
  if (*u) drop_upload(u);
  pthread_mutex_unlock(&mutex);
  return v;
}

void forget_everything(void) {
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < BUCKETS; i++)
    while (table[i]) delete_at(&table[i]);
  while (uploads) drop_upload(&uploads);
  pthread_mutex_unlock(&mutex);
}
