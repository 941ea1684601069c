// scratch.h: a directory for sockets, configuration and caches of one run. In memory if possible,
// or on a disk if that is what is measured. Removed with its owner.
#pragma once

#include <string>
#include <string_view>

#include "tests/bench/process.h"

namespace claimsd::bench {

class Scratch {
 public:
  static Result<Scratch> make();
  static Result<Scratch> on_disk();
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(std::string_view name) const;
  Result<std::string> write(std::string_view name, std::string_view text) const;

 private:
  static Result<Scratch> below(const std::string& parent, std::string_view hint);
  explicit Scratch(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace claimsd::bench
