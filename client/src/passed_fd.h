// passed_fd.h: receives bytes and, with them, a descriptor (SCM_RIGHTS, unix(7)).
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "client/src/owned_fd.h"

namespace claimsd::client {

// As recv(2). The first descriptor that comes with the bytes goes to `fd` if that is empty; all
// others are closed. They are close-on-exec from the start. A plain recv() drops descriptors, so
// this is needed for the handshake alone.
ssize_t receive_with_fd(int socket, char* bytes, std::size_t room, int flags, OwnedFd& fd);

}  // namespace claimsd::client
