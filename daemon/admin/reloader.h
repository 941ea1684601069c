// reloader.h: reads the configuration again, and puts it in effect as a whole or not at all.
//
// Reading and parsing happen in the background, so that no answer waits for a disk; the rest in one
// turn of the loop. One reload at a time: who asks while one is on its way gets the next one, since
// the file may have changed after it was read. Owned by the composition root; loop thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/changes.h"
#include "daemon/loop/background.h"

namespace claimsd::daemon {

class Reloader {
 public:
  // Puts `fresh` in effect, which can be done (compare()), or says why not and leaves all as it is.
  using Apply = std::function<Status(LoadedConfig&& fresh)>;

  // `running` is what is in effect now; it and what else was given outlive this.
  Reloader(Loop& loop, std::string file, const LoadedConfig& running, Apply apply)
      : file_(std::move(file)), running_(running), apply_(std::move(apply)), background_(loop) {}

  // `done` is called once, in a later turn, unless the daemon ends first.
  void request(ReloadDone done);
  // From now on every request is told that it comes too late.
  void stop() { stopped_ = true; }

 private:
  void begin();
  void finish(Result<LoadedConfig> fresh);
  ReloadResult take_over(Result<LoadedConfig> fresh);

  std::string file_;
  const LoadedConfig& running_;
  Apply apply_;
  std::vector<ReloadDone> next_;     // who asked since the file was last read
  std::vector<ReloadDone> current_;  // whom the reload on its way is for
  bool stopped_ = false;
  Background background_;
};

}  // namespace claimsd::daemon
