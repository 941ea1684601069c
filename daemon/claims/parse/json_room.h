// json_room.h: the buffers that JSON documents are parsed in, one after the other: to allocate them
// for each takes longer than to parse it (json_parser.h). Holds nothing but room between two
// documents, and no more of it than small ones need. One thread.
#pragma once

#include <memory>

namespace claimsd::daemon {

class JsonRoom {
 public:
  JsonRoom();
  ~JsonRoom();
  JsonRoom(const JsonRoom&) = delete;
  JsonRoom& operator=(const JsonRoom&) = delete;

 private:
  friend class WipedJson;
  struct Buffers;  // simdjson's header is large: who only passes a room on need not read it
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace claimsd::daemon
