/* claimsd_planted CALL...: makes each call and prints "CALL 0" or "CALL errno". */
#include <stdio.h>
#include <unistd.h>

#include "planted.h"

int main(int count, char** calls) {
  for (int at = 1; at < count; ++at) dprintf(STDOUT_FILENO, "%s %d\n", calls[at], plant(calls[at]));
  return 0;
}
