// peers.h: the systems that claimsd is compared with. Each factory starts a server, fills it and
// connects.
//
// Every client is the fastest plain one for its server: blocking, one connection, a prebuilt query,
// and no copies beyond what the protocol requires.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/bench/contender.h"
#include "tests/bench/http_stub.h"
#include "tests/bench/scratch.h"

namespace claimsd::bench {

using ContenderPtr = std::unique_ptr<Contender>;

// The floor: two processes that do one blocking read and write each, with the sizes of our frames.
Result<ContenderPtr> start_pingpong();
// The same server on libuv: the cost of an event loop.
Result<ContenderPtr> start_uv_echo();
// GET through hiredis.
Result<ContenderPtr> start_redis(const Scratch& scratch);
// `get` of the text protocol.
Result<ContenderPtr> start_memcached(const Scratch& scratch);
// GET with the token in Authorization, from a proxy_cache whose key includes the token.
Result<ContenderPtr> start_nginx(const Scratch& scratch, std::uint16_t upstream_port);
// Without a cache: GET from the upstream with a kept-alive libcurl handle and a new token each
// time.
Result<ContenderPtr> start_bare_curl(const Scratch& scratch, const HttpStub& upstream);

}  // namespace claimsd::bench
