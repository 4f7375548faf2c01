// The protocols: as much of S3 (path style) and of Swift (v1 auth) as an uploader needs.
#include "sink.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XMLNS "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define UPLOAD_ID "VXBsb2FkIElE"
// Not an md5 by its looks, so that no client takes it for one.
#define SOME_ETAG "sink-0123456789abcdef-etag"

counters count;

typedef struct {
  int code;
  uint64_t length; // where the body is not sent (HEAD)
  const char *type;
  text headers, body;
} reply;

typedef struct {
  char key[KEY_ROOM];  // the decoded path: what an object is stored under
  char *bucket, *name; // inside `split`; empty where the path has none
  char split[KEY_ROOM];
  int swift, is_object;
} place;

static void find_place(const request *q, place *p) {
  p->swift = !strncmp(q->path, "/v1/", 4);
  decode_percent(p->key, sizeof p->key, q->path);
  memcpy(p->split, p->key, sizeof p->key);
  char *from = p->split + 1;
  if (p->swift) { // behind the account
    from = strchr(p->split + 4, '/');
    from = from ? from + 1 : strchr(p->split, 0);
  }
  char *slash = strchr(from, '/');
  if (slash) *slash = 0;
  p->bucket = from;
  p->name = slash ? slash + 1 : strchr(from, 0);
  p->is_object = *p->name != 0;
}

static void http_date(time_t at, const char *format, char into[64]) {
  struct tm tm;
  gmtime_r(&at, &tm);
  strftime(into, 64, format, &tm);
}

static void fail(reply *r, int code, const char *name, const char *message) {
  r->code = code;
  add(&r->body, XML "<Error><Code>%s</Code><Message>%s</Message></Error>", name, message);
}

static void fail_upload(reply *r, enum verdict v) {
  if (v == NO_SUCH_UPLOAD) fail(r, 404, "NoSuchUpload", "The specified multipart upload does not exist.");
  else fail(r, 400, "InvalidPart", "One or more of the specified parts could not be found.");
}

// `x-amz-checksum-crc32: VALUE` becomes <ChecksumCRC32>VALUE</ChecksumCRC32>, as S3 writes it in its documents.
static void add_checks(text *t, const char *lines) {
  for (const char *line = lines; *line;) {
    const char *name = line + strlen("x-amz-checksum-"), *colon = strchr(name, ':'), *end = strstr(colon, "\r\n");
    char element[32] = "Checksum";
    int is_type = !strncasecmp(name, "type:", 5), is_algorithm = !strncasecmp(name, "algorithm:", 10);
    for (size_t i = 0; name + i < colon && i < 16; i++)
      element[8 + i] = is_type || is_algorithm ? name[i] : toupper((unsigned char)name[i]);
    if (is_type || is_algorithm) element[8] = toupper((unsigned char)element[8]);
    add(t, "<%s>%.*s</%s>", element, (int)(end - colon - 2), colon + 2, element);
    line = end + 2;
  }
}

// --- S3 -----------------------------------------------------------------------

static unsigned long long upload_id(const request *q) {
  char id[64];
  get_query(q->query, "uploadId", id, sizeof id);
  return strncmp(id, UPLOAD_ID, strlen(UPLOAD_ID)) ? 0 : strtoull(id + strlen(UPLOAD_ID), NULL, 16);
}

static int query_number(const request *q, const char *name, int otherwise) {
  char value[32];
  get_query(q->query, name, value, sizeof value);
  return *value ? atoi(value) : otherwise;
}

static void put_s3_part(request *q, reply *r) {
  part p = {.number = query_number(q, "partNumber", 0), .size = q->size, .at = time(NULL)};
  snprintf(p.md5, sizeof p.md5, "%s", *q->md5 ? q->md5 : SOME_ETAG);
  if (strlen(q->checks) < sizeof p.checks) strcpy(p.checks, q->checks);
  enum verdict v = put_part(upload_id(q), &p);
  count.part++;
  if (v != DONE) fail_upload(r, v);
  else add(&r->headers, "ETag: \"%s\"\r\n%s", p.md5, q->checks);
}

static void put_s3_object(request *q, const place *p, reply *r) {
  char etag[ETAG_ROOM];
  snprintf(etag, sizeof etag, "\"%s\"", *q->md5 ? q->md5 : SOME_ETAG);
  count.put++;
  put_object(p->key, q->size, etag, q->checks);
  add(&r->headers, "ETag: %s\r\n%s", etag, q->checks);
}

static void create_s3_upload(request *q, const place *p, reply *r) {
  count.create++;
  add(&r->headers, "%s", q->checks);
  add(&r->body, XML "<InitiateMultipartUploadResult " XMLNS "><Bucket>");
  add_xml(&r->body, p->bucket);
  add(&r->body, "</Bucket><Key>");
  add_xml(&r->body, p->name);
  add(&r->body, "</Key><UploadId>" UPLOAD_ID "%08llx</UploadId></InitiateMultipartUploadResult>", begin_upload());
}

static void complete_s3_upload(request *q, const place *p, reply *r) {
  int numbers[PARTS_MAX], n = 0;
  const char *at = q->kept.at ? q->kept.at : "";
  while (n < PARTS_MAX && (at = strstr(at, "<PartNumber>"))) numbers[n++] = atoi(at += strlen("<PartNumber>"));
  count.complete++;
  if (!n) return fail(r, 400, "MalformedXML", "The part list names no part.");
  char etag[ETAG_ROOM];
  enum verdict v = complete_upload(upload_id(q), p->key, numbers, n, opt.md5, q->checks, etag);
  if (v != DONE) return fail_upload(r, v);
  add(&r->headers, "%s", q->checks);
  add(&r->body, XML "<CompleteMultipartUploadResult " XMLNS "><Location>%s://127.0.0.1", q->tls ? "https" : "http");
  add_xml(&r->body, q->path);
  add(&r->body, "</Location><Bucket>");
  add_xml(&r->body, p->bucket);
  add(&r->body, "</Bucket><Key>");
  add_xml(&r->body, p->name);
  add(&r->body, "</Key><ETag>");
  add_xml(&r->body, etag);
  add(&r->body, "</ETag>");
  add_checks(&r->body, q->checks);
  add(&r->body, "</CompleteMultipartUploadResult>");
}

static void list_s3_parts(request *q, const place *p, reply *r) {
  int marker = query_number(q, "part-number-marker", 0), limit = query_number(q, "max-parts", PAGE_MAX), n, truncated;
  if (limit > PAGE_MAX || limit < 1) limit = PAGE_MAX;
  part *rows = malloc(limit * sizeof *rows);
  enum verdict v = list_parts(upload_id(q), marker, limit, rows, &n, &truncated);
  count.listparts++;
  if (v != DONE) fail_upload(r, v);
  else {
    add(&r->body, XML "<ListPartsResult " XMLNS "><Bucket>");
    add_xml(&r->body, p->bucket);
    add(&r->body, "</Bucket><Key>");
    add_xml(&r->body, p->name);
    char id[64];
    get_query(q->query, "uploadId", id, sizeof id);
    add(&r->body, "</Key><UploadId>%s</UploadId><PartNumberMarker>%d</PartNumberMarker>", id, marker);
    if (truncated) add(&r->body, "<NextPartNumberMarker>%d</NextPartNumberMarker>", rows[n - 1].number);
    add(&r->body, "<MaxParts>%d</MaxParts><IsTruncated>%s</IsTruncated>", limit, truncated ? "true" : "false");
    for (int i = 0; i < n; i++) {
      char date[64];
      http_date(rows[i].at, "%Y-%m-%dT%H:%M:%S.000Z", date);
      add(&r->body, "<Part><PartNumber>%d</PartNumber><LastModified>%s</LastModified>", rows[i].number, date);
      add(&r->body, "<ETag>\"%s\"</ETag><Size>%llu</Size>", rows[i].md5, (unsigned long long)rows[i].size);
      add_checks(&r->body, rows[i].checks);
      add(&r->body, "</Part>");
    }
    add(&r->body, "</ListPartsResult>");
  }
  free(rows);
}

static void get_s3(request *q, const place *p, reply *r) {
  count.get++;
  if (p->is_object && has_query(q->query, "uploadId")) return list_s3_parts(q, p, r);
  if (p->is_object) return fail(r, 404, "NoSuchKey", "A sink keeps no content.");
  if (!*p->bucket)
    add(&r->body,
        XML "<ListAllMyBucketsResult " XMLNS "><Owner><ID>o</ID></Owner><Buckets><Bucket><Name>b</Name>"
            "<CreationDate>2025-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>");
  else if (has_query(q->query, "location")) add(&r->body, XML "<LocationConstraint " XMLNS "/>");
  else if (has_query(q->query, "versioning")) add(&r->body, XML "<VersioningConfiguration " XMLNS "/>");
  else if (has_query(q->query, "uploads"))
    add(&r->body, XML "<ListMultipartUploadsResult " XMLNS "><Bucket>b</Bucket><IsTruncated>false</IsTruncated>"
                      "</ListMultipartUploadsResult>");
  else
    add(&r->body, XML "<ListBucketResult " XMLNS "><Name>b</Name><Prefix></Prefix><KeyCount>0</KeyCount>"
                      "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>");
}

// --- Swift --------------------------------------------------------------------

// One `{...}` of a manifest after another: `etag` and `size_bytes` of each. Ranges and inline data are not understood.
static void read_manifest(const char *json, text *etags, uint64_t *total) {
  char name[16] = "", value[64] = "";
  int is_value = 0;
  for (const char *s = json; *s; s++) {
    if (*s == '"') {
      size_t n = 0;
      char *into = is_value ? value : name;
      size_t room = is_value ? sizeof value : sizeof name;
      for (s++; *s && *s != '"'; s++) {
        if (*s == '\\' && s[1]) s++;
        if (n + 1 < room) into[n++] = *s;
      }
      into[n] = 0;
      if (!*s) return;
      if (is_value && !strcmp(name, "etag")) add(etags, "%s", value);
    } else if (*s == ':') {
      is_value = 1;
      if (!strcmp(name, "size_bytes")) *total += strtoull(s + 1 + strspn(s + 1, " \t\r\n"), NULL, 10);
    } else if (*s == ',' || *s == '{') is_value = 0;
  }
}

static void put_swift_manifest(request *q, const place *p, reply *r) {
  text etags = {0};
  uint64_t total = 0;
  char md5[33], etag[ETAG_ROOM];
  read_manifest(q->kept.at ? q->kept.at : "", &etags, &total);
  md5_hex(etags.at ? etags.at : "", etags.len, md5);
  drop_text(&etags);
  snprintf(etag, sizeof etag, "\"%s\"", md5);
  count.manifest++;
  put_object(p->key, total, etag, "X-Static-Large-Object: True\r\n");
  char heartbeat[8];
  get_query(q->query, "heartbeat", heartbeat, sizeof heartbeat);
  if (strcasecmp(heartbeat, "on")) {
    r->code = 201;
    add(&r->headers, "Etag: %s\r\n", etag);
    return;
  }
  r->code = 202;
  r->type = "application/json";
  add(&r->body,
      " \r\n\r\n{\"Response Status\": \"201 Created\", \"Response Body\": \"\", \"Etag\": \"\\\"%s\\\"\", "
      "\"Errors\": []}",
      md5);
}

static void put_swift(request *q, const place *p, reply *r) {
  r->code = 201;
  if (!p->is_object) return;
  char manifest[8];
  get_query(q->query, "multipart-manifest", manifest, sizeof manifest);
  if (!strcmp(manifest, "put")) return put_swift_manifest(q, p, r);
  const char *etag = *q->md5 ? q->md5 : SOME_ETAG;
  char date[64];
  http_date(time(NULL), "%a, %d %b %Y %H:%M:%S GMT", date);
  count.put++;
  put_object(p->key, q->size, etag, "");
  add(&r->headers, "Etag: %s\r\nLast-Modified: %s\r\n", etag, date);
}

static void list_swift(request *q, const place *p, reply *r) {
  char prefix[KEY_ROOM], marker[KEY_ROOM], format[8], from[2 * KEY_ROOM], after[2 * KEY_ROOM];
  int base = (int)(p->name - p->split), limit = query_number(q, "limit", 10000);
  if (!*p->bucket) limit = 0; // the account's containers are not kept
  get_query(q->query, "prefix", prefix, sizeof prefix);
  get_query(q->query, "marker", marker, sizeof marker);
  get_query(q->query, "format", format, sizeof format);
  // `name` stands behind the container and its slash, where there is one
  const char *slash = p->key[base - 1] == '/' ? "" : "/";
  snprintf(from, sizeof from, "%.*s%s%s", base, p->key, slash, prefix);
  snprintf(after, sizeof after, "%.*s%s%s", base, p->key, slash, marker);
  int skip = base + (int)strlen(slash), json = !strcmp(format, "json");
  object *rows;
  size_t n = list_objects(from, *marker ? after : "", limit, &rows);
  r->type = json ? "application/json" : "text/plain";
  if (json) add(&r->body, "[");
  for (size_t i = 0; i < n; i++) {
    if (json) {
      char date[64], hash[33] = "";
      http_date(rows[i].at, "%Y-%m-%dT%H:%M:%S.000000", date);
      snprintf(hash, sizeof hash, "%s", rows[i].etag + (rows[i].etag[0] == '"'));
      add(&r->body, "%s{\"name\": \"", i ? ", " : "");
      add_json(&r->body, rows[i].key + skip);
      add(&r->body, "\", \"bytes\": %llu, \"hash\": \"%s\", ", (unsigned long long)rows[i].size, hash);
      add(&r->body, "\"content_type\": \"application/octet-stream\", \"last_modified\": \"%s\"}", date);
    } else add(&r->body, "%s\n", rows[i].key + skip);
    drop_object(&rows[i]);
  }
  free(rows);
  if (json) add(&r->body, "]");
}

// --- both ---------------------------------------------------------------------

static void head(const place *p, reply *r) {
  object o;
  count.head++;
  if (!p->is_object) {
    r->code = p->swift ? 204 : 200;
    add(&r->headers, "x-amz-bucket-region: us-east-1\r\n");
  } else if (!get_object(p->key, &o)) r->code = 404;
  else {
    char date[64];
    http_date(o.at, "%a, %d %b %Y %H:%M:%S GMT", date);
    add(&r->headers, "%s: %s\r\nLast-Modified: %s\r\n%s", p->swift ? "Etag" : "ETag", o.etag, date, o.headers);
    r->length = o.size;
    drop_object(&o);
  }
}

static void delete (request *q, const place *p, reply *r) {
  r->code = 204;
  if (!has_query(q->query, "uploadId")) {
    count.del++;
    delete_object(p->key);
    return;
  }
  count.abort++;
  enum verdict v = abort_upload(upload_id(q));
  if (v != DONE) fail_upload(r, v);
}

#define N(name) (unsigned long long)count.name
static void tell_stats(reply *r) {
  r->type = "application/json";
  add(&r->body, "{\"requests\":%llu,\"bytes\":%llu,\"other_bytes\":%llu,", N(requests), N(bytes), N(other_bytes));
  add(&r->body, "\"put\":%llu,\"part\":%llu,\"create\":%llu,", N(put), N(part), N(create));
  add(&r->body, "\"complete\":%llu,\"abort\":%llu,\"manifest\":%llu,", N(complete), N(abort), N(manifest));
  add(&r->body, "\"head\":%llu,\"get\":%llu,\"del\":%llu,\"post\":%llu,", N(head), N(get), N(del), N(post));
  add(&r->body, "\"listparts\":%llu,\"expect100\":%llu,\"chunked\":%llu,", N(listparts), N(expect100), N(chunked));
  add(&r->body, "\"conns\":%llu,\"tls\":%llu,\"maxconn\":%llu,", N(conns), N(tls), N(maxconn));
  add(&r->body, "\"cut\":%llu,\"maxinflight\":%llu}\n", N(cut), N(maxinflight));
}

static void reset(void) {
  // `inflight` and the open connections are not here: they go on
  atomic_ullong *all = (atomic_ullong *)&count;
  for (size_t i = 0; i < sizeof count / sizeof *all; i++) all[i] = 0;
  forget_everything();
}

int keeps_body(const request *q) {
  return (!strcmp(q->method, "POST") && has_query(q->query, "uploadId")) ||
         (!strcmp(q->method, "PUT") && has_query(q->query, "multipart-manifest"));
}

static void route(request *q, const place *p, reply *r) {
  const char *m = q->method;
  if (!strcmp(q->path, "/_stats")) return tell_stats(r);
  if (!strcmp(q->path, "/_reset")) return reset();
  count.requests++;
  int is_content = !strcmp(m, "PUT") && p->is_object && !keeps_body(q);
  if (is_content) count.bytes += q->size;
  else count.other_bytes += q->size;

  if (q->kept_too_long) return fail(r, 413, "EntityTooLarge", "The sink keeps 8 MiB of a list of parts or segments.");
  if (!strncmp(q->path, "/auth/v1.0", 10)) {
    const char *scheme = q->tls ? "https" : "http";
    int port = q->tls ? opt.https_port : opt.http_port;
    add(&r->headers, "X-Storage-Url: %s://127.0.0.1:%d/v1/AUTH_test\r\n", scheme, port);
    add(&r->headers, "X-Auth-Token: AUTH_tk0\r\nX-Storage-Token: AUTH_tk0\r\n");
  } else if (!strcmp(q->path, "/info")) {
    r->type = "application/json";
    add(&r->body, "{\"swift\":{\"version\":\"2.30.0\",\"max_file_size\":5368709122},"
                  "\"slo\":{\"max_manifest_segments\":1000},\"tempurl\":{\"methods\":[\"GET\",\"PUT\"]}}");
  } else if (!strcmp(m, "HEAD")) head(p, r);
  else if (!strcmp(m, "DELETE")) delete (q, p, r);
  else if (!strcmp(m, "PUT")) {
    if (p->swift) put_swift(q, p, r);
    else if (has_query(q->query, "partNumber")) put_s3_part(q, r);
    else if (p->is_object) put_s3_object(q, p, r);
  } else if (!strcmp(m, "POST")) {
    if (has_query(q->query, "uploads")) create_s3_upload(q, p, r);
    else if (has_query(q->query, "uploadId")) complete_s3_upload(q, p, r);
    else count.post++;
  } else if (!p->swift) get_s3(q, p, r);
  else if (!p->is_object) {
    count.get++;
    list_swift(q, p, r);
  } else {
    count.get++;
    r->code = 404;
  }
}

static const char *reason(int code) {
  switch (code) {
  case 200: return "OK";
  case 201: return "Created";
  case 202: return "Accepted";
  case 204: return "No Content";
  case 400: return "Bad Request";
  case 413: return "Request Entity Too Large";
  default: return "Not Found";
  }
}

char *answer(request *q, int keep_alive, size_t *length) {
  place p;
  find_place(q, &p);
  reply r = {.code = 200, .type = "application/xml"};
  route(q, &p, &r);
  int is_head = !strcmp(q->method, "HEAD");
  text out = {0};
  add(&out, "HTTP/1.1 %d %s\r\nServer: sink\r\nx-amz-request-id: 0A\r\n", r.code, reason(r.code));
  if (r.headers.len) add_bytes(&out, r.headers.at, r.headers.len);
  if (r.body.len) add(&out, "Content-Type: %s\r\n", r.type);
  if (!keep_alive) add(&out, "Connection: close\r\n");
  if (r.code != 204) add(&out, "Content-Length: %llu\r\n", (unsigned long long)(is_head ? r.length : r.body.len));
  add(&out, "\r\n");
  if (r.body.len && !is_head) add_bytes(&out, r.body.at, r.body.len);
  if (opt.verbose)
    fprintf(stderr, "%s %s?%s body=%llu -> %d\n", q->method, q->path, q->query, (unsigned long long)q->size, r.code);
  drop_text(&r.headers);
  drop_text(&r.body);
  *length = out.len;
  return out.at;
}
