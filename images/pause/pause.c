/* Holds the namespaces of a pod open: sleeps until it is told to end, and buries orphaned children. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int number) {
  (void)number;
  _exit(0);
}

static void bury(int number) {
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0)
    ;
}

static int listen_for(int number, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  return sigaction(number, &action, NULL);
}

int main(void) {
  if (listen_for(SIGINT, end, 0) || listen_for(SIGTERM, end, 0) || listen_for(SIGCHLD, bury, SA_NOCLDSTOP))
    return EXIT_FAILURE;
  for (;;)
    pause();
}
