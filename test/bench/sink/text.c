#include "sink.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void make_room(text *t, size_t more) {
  if (t->len + more + 1 <= t->room) return;
  t->room = (t->len + more + 1) * 2;
  t->at = realloc(t->at, t->room);
  if (!t->at) abort();
}

void add_bytes(text *t, const char *bytes, size_t n) {
  make_room(t, n);
  memcpy(t->at + t->len, bytes, n);
  t->at[t->len += n] = 0;
}

void add(text *t, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  make_room(t, n);
  vsnprintf(t->at + t->len, n + 1, format, again);
  t->len += n;
  va_end(args);
  va_end(again);
}

void add_xml(text *t, const char *s) {
  for (; *s; s++) {
    if (*s == '&') add(t, "&amp;");
    else if (*s == '<') add(t, "&lt;");
    else if (*s == '>') add(t, "&gt;");
    else if ((unsigned char)*s < 0x20) add(t, "&#%d;", *s);
    else add_bytes(t, s, 1);
  }
}

void add_json(text *t, const char *s) {
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') add(t, "\\%c", *s);
    else if ((unsigned char)*s < 0x20) add(t, "\\u%04x", *s);
    else add_bytes(t, s, 1);
  }
}

void drop_text(text *t) {
  free(t->at);
  memset(t, 0, sizeof *t);
}

static int hex(char c) { return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10; }

static void decode(char *into, size_t room, const char *s, size_t n) {
  size_t j = 0;
  for (size_t i = 0; i < n && j + 1 < room; i++) {
    if (s[i] == '%' && i + 2 < n && isxdigit((unsigned char)s[i + 1]) && isxdigit((unsigned char)s[i + 2])) {
      into[j++] = hex(s[i + 1]) * 16 + hex(s[i + 2]);
      i += 2;
    } else into[j++] = s[i];
  }
  into[j] = 0;
}

void decode_percent(char *into, size_t room, const char *s) { decode(into, room, s, strlen(s)); }

static const char *find_query(const char *query, const char *name) {
  size_t n = strlen(name);
  for (const char *p = query; p && *p; p = strchr(p, '&'), p = p ? p + 1 : NULL)
    if (!strncmp(p, name, n) && (p[n] == 0 || p[n] == '=' || p[n] == '&')) return p + n;
  return NULL;
}

int has_query(const char *query, const char *name) { return find_query(query, name) != NULL; }

void get_query(const char *query, const char *name, char *into, size_t room) {
  const char *p = find_query(query, name);
  into[0] = 0;
  if (p && *p == '=') decode(into, room, p + 1, strcspn(p + 1, "&"));
}

void md5_hex(const void *bytes, size_t n, char into[33]) {
  unsigned char digest[16];
  EVP_Digest(bytes, n, digest, NULL, EVP_md5(), NULL);
  for (int i = 0; i < 16; i++) sprintf(into + 2 * i, "%02x", digest[i]);
}
