/* planted.h: system calls that claimsd has no business making, by name. */
#ifndef CLAIMSD_TESTS_PLANTED_H
#define CLAIMSD_TESTS_PLANTED_H

/* 0 where it works, an errno where it is refused; 1000 + N where signal N ended the child that made
 * it; -1: no such name. */
int plant(const char* call);

#endif
