// settings.h: the Redis servers of a fleet, and how to connect to them. A value; any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/redis/endpoint.h"

namespace claimsd::redis {

struct Settings {
  std::vector<Endpoint> servers;          // tried in order until one is a master
  std::vector<Endpoint> sentinels;        // instead of servers: these name the master
  std::string master;                     // its name for the Sentinels
  std::string user;                       // "": the default user
  std::string password_file;              // one line; "": no AUTH
  std::string ca_file;                    // PEM; "": the system's CA certificates
  std::string client_certificate;         // PEM; "": none
  std::string client_key;                 // PEM; "": in client_certificate
  Duration connect_timeout = seconds(1);  // per server: name, TCP, TLS, AUTH and ROLE
  Duration command_timeout = seconds(1);  // from the command to the end of its reply
};

}  // namespace claimsd::redis
