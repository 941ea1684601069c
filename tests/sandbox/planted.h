/* planted.h: system calls that claimsd never needs, by name. */
#ifndef CLAIMSD_TESTS_PLANTED_H
#define CLAIMSD_TESTS_PLANTED_H

/* Returns 0 if the call works, an errno if it is refused, 1000 + N if signal N ended the child that
 * made it, -1 for an unknown name. */
int plant(const char* call);

#endif
