// json_buffers.h: reusable buffers for JSON parsing, because allocating them takes longer than parsing
// a document (json_parser.h). Holds no data between documents and shrinks to a small size. One
// thread.
#pragma once

#include <memory>

namespace claimsd::claims {

class JsonBuffers {
 public:
  JsonBuffers();
  ~JsonBuffers();
  JsonBuffers(const JsonBuffers&) = delete;
  JsonBuffers& operator=(const JsonBuffers&) = delete;

 private:
  friend class WipedJson;
  struct Buffers;  // hides simdjson's large header from users of this one
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace claimsd::claims
