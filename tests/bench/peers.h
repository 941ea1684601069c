// peers.h: what claimsd is measured against. Each factory starts its server, fills it and connects.
//
// Every client here is the fastest plain one that we could write for that server: blocking, one
// connection, its question made beforehand, the answer's bytes not copied further than the protocol
// makes necessary.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/bench/contender.h"
#include "tests/bench/scratch.h"

namespace claimsd::bench {

using ContenderPtr = std::unique_ptr<Contender>;

// The floor: two processes, a blocking read and a blocking write each, with the bytes of our own
// frames.
Result<ContenderPtr> start_pingpong();
// The same server on libuv: what an event loop costs.
Result<ContenderPtr> start_uv_echo();
// GET by hiredis.
Result<ContenderPtr> start_redis(const Scratch& scratch);
// `get` of the text protocol.
Result<ContenderPtr> start_memcached(const Scratch& scratch);
// GET with the token in Authorization, out of a proxy_cache whose key has the token in it.
Result<ContenderPtr> start_nginx(const Scratch& scratch, std::uint16_t upstream_port);
// No cache: GET by a kept-alive libcurl handle from the upstream itself, another token each time.
// The upstream's pid is what is placed.
Result<ContenderPtr> start_bare_curl(std::uint16_t upstream_port, pid_t upstream);

}  // namespace claimsd::bench
