// measure OUTPUT COMMAND [ARG...]: runs the command and writes what it took into OUTPUT, as JSON. Of the whole process
// tree, as far as it waited for its children. A program of its own because a child that is forked from Node starts with
// Node's peak RSS as its own, and because Node tells no child's usage.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

int main(int argc, char **argv) {
  if (argc < 3) return 64;
  double from = now();
  pid_t child = fork();
  if (child < 0) return 71;
  if (!child) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (wait4(child, &status, 0, &used) < 0) return 71;
  double wall = now() - from;
  FILE *out = fopen(argv[1], "w");
  if (!out) return 73;
  fprintf(out, "{\"wall\":%.6f,\"user\":%.6f,\"system\":%.6f,\"rss\":%ld}\n", wall, seconds(used.ru_utime),
          seconds(used.ru_stime), used.ru_maxrss * 1024);
  fclose(out);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
