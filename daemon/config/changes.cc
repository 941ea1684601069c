#include "daemon/config/changes.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

namespace claimsd::config {
namespace {

std::set<std::string> upstreams_of(const LoadedConfig& loaded) {
  std::set<std::string> names;
  for (const UpstreamConfig& upstream : loaded.config.upstreams)
    names.insert("upstream." + upstream.name);
  return names;
}

constexpr char kAbsent[] = "(absent)";

using ByOption = std::map<std::string_view, const Setting*>;

ByOption by_option(const LoadedConfig& loaded) {
  ByOption settings;
  for (const Setting& setting : loaded.settings) settings.emplace(setting.option, &setting);
  return settings;
}

// A table is reported by name and the place of its first line.
std::string place_of(const LoadedConfig& loaded, const std::string& table) {
  for (const Setting& setting : loaded.settings) {
    if (setting.option.starts_with(table + ".") && setting.origin != kDefaultOrigin)
      return setting.origin;
  }
  return {};
}

}  // namespace

Result<std::vector<Change>> compare(const LoadedConfig& running, const LoadedConfig& fresh) {
  std::vector<Change> changes;
  std::string refused;
  const auto refuse = [&](std::string_view place, std::string_view option, std::string_view what) {
    refused += fmt::format("{}{}{}{}: {}; restart claimsd to apply it", refused.empty() ? "" : "\n",
                           place, place.empty() ? "" : ": ", option, what);
  };
  const ByOption before = by_option(running);
  for (const Setting& setting : fresh.settings) {
    const auto found = before.find(setting.option);
    if (found == before.end() && setting.origin != kDefaultOrigin) {
      changes.push_back({setting.option, kAbsent, setting.value, setting.origin});
    }
    if (found == before.end() || found->second->exact == setting.exact) continue;
    const Setting& old = *found->second;
    changes.push_back({setting.option, old.value, setting.value, setting.origin});
    if (setting.reloadable) continue;
    refuse(setting.origin, setting.option,
           fmt::format("{} in the file, {} in the running daemon", setting.value, old.value));
  }
  const ByOption after = by_option(fresh);
  for (const Setting& setting : running.settings) {
    if (setting.origin != kDefaultOrigin && !after.contains(setting.option))
      changes.push_back({setting.option, setting.value, kAbsent, ""});
  }
  const std::set<std::string> old_names = upstreams_of(running);
  const std::set<std::string> new_names = upstreams_of(fresh);
  for (const std::string& name : new_names) {
    if (!old_names.contains(name)) refuse(place_of(fresh, name), name, "added to the file");
  }
  for (const std::string& name : old_names) {
    if (!new_names.contains(name)) refuse("", name, "removed from the file");
  }
  if (!refused.empty()) return failure(std::move(refused));
  return changes;
}

}  // namespace claimsd::config
