// reloader.h: reloads the configuration as a whole or not at all. Owned by the composition root;
// loop thread.
//
// The file is read and parsed in the background, so that no answer waits for the disk. The rest
// happens in one loop iteration. One reload at a time: a request during a reload starts another one
// afterwards, because the file may have changed after it was read.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/changes.h"
#include "daemon/loop/background.h"

namespace claimsd::admin {

class Reloader {
 public:
  // Applies `fresh`, already checked by compare(), or returns an error and changes nothing.
  using Apply = std::function<Status(config::LoadedConfig&& fresh)>;

  // `running`: the configuration in effect. All arguments must outlive this object.
  Reloader(loop::Loop& loop, std::string file, const config::LoadedConfig& running, Apply apply)
      : file_(std::move(file)), running_(running), apply_(std::move(apply)), background_(loop) {}

  // `done` is called once, in a later iteration, unless the daemon ends first.
  void request(config::ReloadDone done);
  // From now on every request gets kStopping.
  void stop() { stopped_ = true; }

 private:
  void begin();
  void finish(Result<config::LoadedConfig> fresh);
  config::ReloadResult take_over(Result<config::LoadedConfig> fresh);

  std::string file_;
  const config::LoadedConfig& running_;
  Apply apply_;
  std::vector<config::ReloadDone> next_;     // requests since the file was last read
  std::vector<config::ReloadDone> current_;  // requests that the running reload answers
  bool stopped_ = false;
  loop::Background background_;
};

}  // namespace claimsd::admin
