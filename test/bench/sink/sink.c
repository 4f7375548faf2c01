// A fast body-discarding sink that speaks enough of S3 (path style) and of OpenStack Swift (v1 auth) for benchmarks of
// uploaders. Linux only.   cc -O2 -o sink *.c -lssl -lcrypto -lpthread
//   sink [-p httpport] [-s httpsport] [-c cert.pem] [-k key.pem] [-t threads] [-m] [-e size=md5]... [-d delay_ms] [-v]
//   -p, -s  0: none
//   -m  the true MD5 of a body is its ETag, and md5-of-md5s-N that of a multipart object
//       (else constants; a part's does not look like an MD5)
//   -e  the ETag of a body of so many bytes: a client that compares ETags is content, and no hashing here takes the
//       time of the client's cores. Told, not computed
//   -d  delay every answer by so many ms (a stand-in for the round trip + service time)
// Plain HTTP bodies are dropped in the kernel with recv(MSG_TRUNC): no copy to user space, so the server costs next to
// nothing beside the client. HTTPS bodies are decrypted with OpenSSL (256 KiB reads) and dropped. Only what names parts
// or segments is kept (Complete, SLO manifests), and with -m every body is read and hashed.
// x-amz-checksum-* headers are echoed, not recomputed: the client sees what a verifying store would answer, and the
// sink has verified nothing. Names, sizes and ETags of objects are remembered; GET of content is always 404. GET
// /_stats  -> JSON counters (requests, bytes of content, connections, by operation);  GET /_reset -> zero them.
#define _GNU_SOURCE
#include "sink.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HBUF (64 * 1024)
#define BBUF (256 * 1024)

options opt = {.http_port = 9000, .https_port = 9443, .threads = 2};
static SSL_CTX *ctx;
static atomic_ullong open_conns, inflight;

typedef struct { // decoder of HTTP chunked / aws-chunked (same grammar for our purpose)
  int st;        // 0 size line, 1 data, 2 CRLF after data, 3 trailer lines, 4 done
  uint64_t left;
  int llen, inext;
} dec_t;

typedef struct conn {
  int fd, tls, wantclose, inbody, ishttpchunked, isaws, keep, keepbody, hs;
  SSL *ssl;
  char *buf;
  size_t len;         // header buffer fill
  uint64_t body_left; // for content-length bodies
  dec_t outer, inner;
  EVP_MD_CTX *md;
  request q;
  uint64_t due; // delayed response
  int waiting;
  struct conn *next; // delay fifo
  char *resp;
  size_t rlen;
} conn;

typedef struct {
  int ep;
  conn *dh, *dt;
  char *scratch;
  int lfd[2];
} thr;

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}
static void maxat(atomic_ullong *m, unsigned long long v) {
  unsigned long long c = atomic_load(m);
  while (v > c && !atomic_compare_exchange_weak(m, &c, v))
    ;
}

static int cwrite(conn *c, const char *b, size_t n) {
  while (n) {
    ssize_t r;
    if (c->tls) {
      r = SSL_write(c->ssl, b, n);
      if (r <= 0) {
        int e = SSL_get_error(c->ssl, r);
        if (e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ) {
          struct pollfd p = {c->fd, POLLOUT, 0};
          poll(&p, 1, 5000);
          continue;
        }
        return -1;
      }
    } else {
      r = send(c->fd, b, n, MSG_NOSIGNAL);
      if (r < 0) {
        if (errno == EAGAIN) {
          struct pollfd p = {c->fd, POLLOUT, 0};
          poll(&p, 1, 5000);
          continue;
        }
        return -1;
      }
    }
    b += r;
    n -= r;
  }
  return 0;
}

// The content of a body, free of any framing.
static void absorb(conn *c, const char *b, size_t n) {
  c->q.size += n;
  if (c->md) EVP_DigestUpdate(c->md, b, n);
  if (!c->keepbody) return;
  if (c->q.kept.len + n > KEPT_MAX) c->q.kept_too_long = 1;
  else add_bytes(&c->q.kept, b, n);
}

// feeds n bytes to a decoder; payload bytes go to the inner decoder (if aws) or to the digest. Returns bytes used.
static void payload(conn *c, const char *b, size_t n, int level);
static size_t dec_feed(conn *c, dec_t *d, const char *b, size_t n, int level) {
  size_t i = 0;
  while (i < n && d->st != 4) {
    if (d->st == 1) {
      size_t k = n - i;
      if (k > d->left) k = d->left;
      payload(c, b + i, k, level + 1);
      d->left -= k;
      i += k;
      if (!d->left) {
        d->st = 2;
      }
      continue;
    }
    char ch = b[i++];
    if (d->st == 0) {
      if (ch == '\n') {
        d->inext = 0;
        d->st = d->left ? 1 : 3;
        d->llen = 0;
      } else if (ch == ';') d->inext = 1;
      else if (!d->inext && isxdigit((unsigned char)ch))
        d->left = d->left * 16 + (isdigit((unsigned char)ch) ? ch - '0' : tolower(ch) - 'a' + 10);
    } else if (d->st == 2) {
      if (ch == '\n') {
        d->st = 0;
        d->left = 0;
      }
    } else if (d->st == 3) {
      if (ch == '\n') {
        if (d->llen == 0) d->st = 4;
        d->llen = 0;
      } else if (ch != '\r') d->llen++;
    }
  }
  return i;
}
static void payload(conn *c, const char *b, size_t n, int level) {
  if (level == 1 && c->isaws) {
    dec_feed(c, &c->inner, b, n, 1);
    return;
  }
  absorb(c, b, n);
}

static struct {
  uint64_t size;
  char md5[33];
} told[16];
static int told_count;

static void tell_md5(const char *word) { // SIZE=MD5
  char *end;
  uint64_t size = strtoull(word, &end, 10);
  if (*end != '=' || strlen(end + 1) != 32 || told_count == 16) {
    fprintf(stderr, "sink: -e %s is not SIZE=MD5\n", word);
    exit(2);
  }
  told[told_count].size = size;
  strcpy(told[told_count++].md5, end + 1);
}

static void send_resp(conn *c);
static void finish(thr *t, conn *c) {
  c->q.md5[0] = 0;
  for (int i = 0; i < told_count; i++)
    if (told[i].size == c->q.size) strcpy(c->q.md5, told[i].md5);
  if (c->md) {
    unsigned char d[16];
    EVP_DigestFinal_ex(c->md, d, NULL);
    for (int i = 0; i < 16; i++) sprintf(c->q.md5 + 2 * i, "%02x", d[i]);
  }
  c->resp = answer(&c->q, c->keep, &c->rlen);
  drop_text(&c->q.kept);
  if (opt.delay && c->q.path[1] != '_') {
    c->due = now_us() + opt.delay * 1000ull;
    c->waiting = 1;
    c->next = NULL;
    if (t->dt) t->dt->next = c;
    else t->dh = c;
    t->dt = c;
  } else send_resp(c);
}
static void send_resp(conn *c) {
  inflight--;
  if (cwrite(c, c->resp, c->rlen) < 0) c->wantclose = 1;
  free(c->resp);
  c->resp = NULL;
  c->waiting = 0;
  if (!c->keep) c->wantclose = 1;
}

static void cclose(conn *c) {
  if (c->inbody) count.cut++;
  if (c->ssl) {
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
  }
  close(c->fd);
  if (c->md) EVP_MD_CTX_free(c->md);
  drop_text(&c->q.kept);
  free(c->buf);
  free(c);
  open_conns--;
}

static void begin(conn *c) { // headers complete at c->buf[0..hl)
  c->inbody = 1;
  c->q.size = 0;
  c->q.checks[0] = 0;
  c->q.kept_too_long = 0;
  c->q.tls = c->tls;
  c->ishttpchunked = c->isaws = 0;
  c->body_left = 0;
  memset(&c->outer, 0, sizeof(dec_t));
  memset(&c->inner, 0, sizeof(dec_t));
  maxat(&count.maxinflight, ++inflight);
}
// parse one header block ending at hl. returns 0 ok, -1 bad
static int parse(conn *c, size_t hl) {
  begin(c);
  char *b = c->buf;
  b[hl - 2] = 0; // over the last CRLF
  char *e = strstr(b, "\r\n");
  if (e) *e = 0;
  char *sp = strchr(b, ' ');
  if (!sp) return -1;
  *sp++ = 0;
  snprintf(c->q.method, sizeof c->q.method, "%s", b);
  char *sp2 = strchr(sp, ' ');
  if (!sp2) return -1;
  *sp2 = 0;
  int v10 = !strncmp(sp2 + 1, "HTTP/1.0", 8);
  c->keep = !v10;
  if (!strncmp(sp, "http", 4)) {
    char *x = strstr(sp, "://");
    if (x) {
      x = strchr(x + 3, '/');
      sp = x ? x : "/";
    }
  }
  char *qm = strchr(sp, '?');
  if (qm) {
    *qm = 0;
    snprintf(c->q.query, sizeof c->q.query, "%s", qm + 1);
  } else c->q.query[0] = 0;
  snprintf(c->q.path, sizeof c->q.path, "%s", sp);
  char *h = e ? e + 2 : b + hl;
  uint64_t cl = 0, dl = 0;
  int hasdl = 0, e100 = 0;
  while (h < b + hl && *h) {
    char *n = strstr(h, "\r\n");
    if (n) *n = 0;
    char *col = strchr(h, ':');
    if (col) {
      char *val = col + 1;
      while (*val == ' ') val++;
      size_t kl = col - h;
      if (kl == 14 && !strncasecmp(h, "content-length", 14)) cl = strtoull(val, 0, 10);
      else if (kl == 28 && !strncasecmp(h, "x-amz-decoded-content-length", 28)) {
        dl = strtoull(val, 0, 10);
        hasdl = 1;
      } else if (kl == 17 && !strncasecmp(h, "transfer-encoding", 17) && strcasestr(val, "chunked")) {
        c->ishttpchunked = 1;
        count.chunked++;
      } else if (kl == 20 && !strncasecmp(h, "x-amz-content-sha256", 20) && !strncmp(val, "STREAMING-", 10))
        c->isaws = 1;
      else if (kl == 6 && !strncasecmp(h, "expect", 6) && strcasestr(val, "100-continue")) e100 = 1;
      else if (kl > 15 && !strncasecmp(h, "x-amz-checksum-", 15)) {
        size_t have = strlen(c->q.checks);
        if (have + strlen(h) + 3 < sizeof c->q.checks) sprintf(c->q.checks + have, "%.*s: %s\r\n", (int)kl, h, val);
      } else if (kl == 10 && !strncasecmp(h, "connection", 10)) {
        if (strcasestr(val, "close")) c->keep = 0;
        else if (strcasestr(val, "keep-alive")) c->keep = 1;
      }
    }
    if (!n) break;
    h = n + 2;
  }
  c->body_left = cl;
  c->keepbody = keeps_body(&c->q);
  if (c->md) {
    EVP_DigestInit_ex(c->md, EVP_md5(), NULL);
  }
  if (e100) {
    count.expect100++;
    cwrite(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
  }
  if (!opt.md5 && !c->ishttpchunked && c->isaws && hasdl) {
    c->q.size = dl;
    c->isaws = 2;
  } // count decoded bytes without decoding
  return 0;
}
static int bodydone(conn *c) { return c->ishttpchunked ? c->outer.st == 4 : c->body_left == 0; }
static size_t feedbody(conn *c, const char *b, size_t n) {
  if (c->ishttpchunked) return dec_feed(c, &c->outer, b, n, 0);
  if (n > c->body_left) n = c->body_left;
  c->body_left -= n;
  if (c->isaws == 2) return n; // size known
  if (c->isaws == 1) dec_feed(c, &c->inner, b, n, 1);
  else absorb(c, b, n);
  return n;
}
static ssize_t cread(conn *c, char *b, size_t n) { // >0 bytes, 0 eof/err, -1 again
  if (c->tls) {
    int r = SSL_read(c->ssl, b, n);
    if (r > 0) return r;
    int e = SSL_get_error(c->ssl, r);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return -1;
    ERR_clear_error();
    return 0;
  }
  ssize_t r = recv(c->fd, b, n, 0);
  if (r > 0) return r;
  if (r < 0 && (errno == EAGAIN || errno == EINTR)) return -1;
  return 0;
}
// returns -1 to close
static int process_buf(thr *t, conn *c) { // works on c->buf/c->len
  for (;;) {
    if (c->waiting) return 0;
    if (c->wantclose) return -1;
    if (c->inbody) {
      if (!bodydone(c) && c->len) {
        size_t u = feedbody(c, c->buf, c->len);
        memmove(c->buf, c->buf + u, c->len - u);
        c->len -= u;
      }
      if (bodydone(c)) {
        c->inbody = 0;
        finish(t, c);
        continue;
      }
      return 0;
    }
    if (c->len < 4) return 0;
    size_t sk = 0;
    while (sk + 1 < c->len && c->buf[sk] == '\r' && c->buf[sk + 1] == '\n') sk += 2;
    if (sk) {
      memmove(c->buf, c->buf + sk, c->len - sk);
      c->len -= sk;
    }
    char *e = memmem(c->buf, c->len, "\r\n\r\n", 4);
    if (!e) return c->len >= HBUF - 1 ? -1 : 0;
    size_t hl = e - c->buf + 4;
    if (parse(c, hl) < 0) return -1;
    memmove(c->buf, c->buf + hl, c->len - hl);
    c->len -= hl;
  }
}
static int on_read(thr *t, conn *c) {
  if (c->tls && !c->hs) {
    int r = SSL_accept(c->ssl);
    if (r != 1) {
      int e = SSL_get_error(c->ssl, r);
      if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return 0;
      ERR_clear_error();
      return -1;
    }
    c->hs = 1;
    count.tls++;
  }
  for (int it = 0;; it++) {
    if (c->waiting) {
      return 0;
    } // level-triggered off while waiting: see caller
    if (c->inbody && c->len == 0 && !bodydone(c)) {
      ssize_t r;
      if (!c->tls && !opt.md5 && !c->keepbody && !c->ishttpchunked && c->isaws != 1) {
        size_t w = c->body_left > (4u << 20) ? (4u << 20) : c->body_left;
        r = recv(c->fd, t->scratch, w, MSG_TRUNC);
        if (r < 0) {
          if (errno == EAGAIN || errno == EINTR) return 0;
          return -1;
        }
        if (r == 0) return -1;
        c->body_left -= r;
        if (c->isaws != 2) c->q.size += r;
      } else {
        size_t w = BBUF;
        if (!c->ishttpchunked && c->body_left < w) w = c->body_left;
        r = cread(c, t->scratch, w);
        if (r == -1) return 0;
        if (r == 0) return -1;
        size_t u = feedbody(c, t->scratch, r);
        if (u < (size_t)r) {
          memcpy(c->buf, t->scratch + u, r - u < HBUF - 1 ? r - u : HBUF - 1);
          c->len = r - u;
        }
      }
      if (bodydone(c)) {
        if (process_buf(t, c) < 0) return -1;
      }
      if (!c->tls && it > 16) return 0; // fairness (level-triggered)
      continue;
    }
    ssize_t r = cread(c, c->buf + c->len, HBUF - 1 - c->len);
    if (r == -1) return 0;
    if (r == 0) return -1;
    c->len += r;
    c->buf[c->len] = 0;
    if (process_buf(t, c) < 0) return -1;
  }
}
static int mklisten(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (void *)&a, sizeof a) < 0 || listen(fd, 1024) < 0) {
    perror("bind/listen");
    exit(1);
  }
  return fd;
}
static void *worker(void *arg) {
  thr *t = arg;
  t->ep = epoll_create1(EPOLL_CLOEXEC);
  t->scratch = malloc(4u << 20);
  for (int i = 0; i < 2; i++)
    if (t->lfd[i] >= 0) {
      struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = (uint64_t)i + 1};
      epoll_ctl(t->ep, EPOLL_CTL_ADD, t->lfd[i], &ev);
    }
  struct epoll_event evs[256];
  for (;;) {
    int to = -1;
    if (t->dh) {
      uint64_t n = now_us();
      to = t->dh->due > n ? (int)((t->dh->due - n + 999) / 1000) : 0;
    }
    int n = epoll_wait(t->ep, evs, 256, to);
    for (int i = 0; i < n; i++) {
      if (evs[i].data.u64 < 3) {
        int k = evs[i].data.u64 - 1;
        for (int z = 0; z < 1; z++) { // one accept per wake: spreads connections over threads
          int fd = accept4(t->lfd[k], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
          if (fd < 0) break;
          int one = 1;
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          conn *c = calloc(1, sizeof *c);
          c->fd = fd;
          c->buf = malloc(HBUF);
          c->tls = k == 1;
          if (opt.md5) c->md = EVP_MD_CTX_new();
          if (c->tls) {
            c->ssl = SSL_new(ctx);
            SSL_set_fd(c->ssl, fd);
          }
          count.conns++;
          maxat(&count.maxconn, ++open_conns);
          struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
          epoll_ctl(t->ep, EPOLL_CTL_ADD, fd, &ev);
        }
        continue;
      }
      conn *c = evs[i].data.ptr;
      if (c->waiting) {
        struct epoll_event ev = {.events = 0, .data.ptr = c};
        epoll_ctl(t->ep, EPOLL_CTL_MOD, c->fd, &ev);
        continue;
      }
      if (on_read(t, c) < 0 && !c->waiting) {
        epoll_ctl(t->ep, EPOLL_CTL_DEL, c->fd, NULL);
        cclose(c);
      }
    }
    if (t->dh) {
      uint64_t nw = now_us();
      while (t->dh && t->dh->due <= nw) {
        conn *c = t->dh;
        t->dh = c->next;
        if (!t->dh) t->dt = NULL;
        send_resp(c);
        int r = process_buf(t, c);
        if (r < 0 || c->wantclose) {
          if (!c->waiting) {
            epoll_ctl(t->ep, EPOLL_CTL_DEL, c->fd, NULL);
            cclose(c);
            continue;
          }
        }
        if (!c->waiting) {
          if (c->tls) {
            if (on_read(t, c) < 0 && !c->waiting) {
              epoll_ctl(t->ep, EPOLL_CTL_DEL, c->fd, NULL);
              cclose(c);
              continue;
            }
          }
          struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
          epoll_ctl(t->ep, EPOLL_CTL_MOD, c->fd, &ev);
        }
      }
    }
  }
  return NULL;
}
int main(int argc, char **argv) {
  const char *cert = "cert.pem", *key = "key.pem";
  int o;
  while ((o = getopt(argc, argv, "p:s:c:k:t:me:d:v")) != -1) switch (o) {
    case 'p': opt.http_port = atoi(optarg); break;
    case 's': opt.https_port = atoi(optarg); break;
    case 'c': cert = optarg; break;
    case 'k': key = optarg; break;
    case 't': opt.threads = atoi(optarg); break;
    case 'm': opt.md5 = 1; break;
    case 'e': tell_md5(optarg); break;
    case 'd': opt.delay = atoi(optarg); break;
    case 'v': opt.verbose = 1; break;
    default: return 2;
    }
  signal(SIGPIPE, SIG_IGN);
  int lh = opt.http_port ? mklisten(opt.http_port) : -1, ls = -1;
  if (opt.https_port) {
    ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, 256 * 1024);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
      ERR_print_errors_fp(stderr);
      return 1;
    }
    ls = mklisten(opt.https_port);
  }
  pthread_t th[64];
  thr ts[64];
  memset(ts, 0, sizeof ts);
  for (int i = 0; i < opt.threads; i++) {
    ts[i].lfd[0] = lh;
    ts[i].lfd[1] = ls;
    pthread_create(&th[i], NULL, worker, &ts[i]);
  }
  fprintf(stderr, "sink: http 127.0.0.1:%d https 127.0.0.1:%d threads %d md5 %d delay %d ms pid %d\n", opt.http_port,
          opt.https_port, opt.threads, opt.md5, opt.delay, getpid());
  for (int i = 0; i < opt.threads; i++) pthread_join(th[i], NULL);
}
