#include <curl/curl.h>
#include <fmt/core.h>

#include <utility>

#include "tests/bench/peers.h"
#include "tests/bench/socket.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

struct CleanEasy {
  void operator()(CURL* easy) const { ::curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};

std::size_t keep(char* bytes, std::size_t /*one*/, std::size_t size, void* body) {
  static_cast<std::string*>(body)->append(bytes, size);
  return size;
}

class BareCurl final : public Contender {
 public:
  // `trusted`: the file of the upstream's certificate; "" in clear.
  BareCurl(CURL* easy, const HttpStub& upstream, const std::string& trusted)
      : easy_(easy), upstream_(upstream.process.pid()) {
    ::curl_easy_setopt(easy, CURLOPT_URL, (upstream.url() + "/api/me/").c_str());
    if (!trusted.empty()) ::curl_easy_setopt(easy, CURLOPT_CAINFO, trusted.c_str());
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body_);
    ::curl_easy_setopt(easy, CURLOPT_PROXY, "");
    ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, long{kPatience.count() * 1000});
  }

  std::string name() const override { return "bare_curl"; }
  std::vector<pid_t> servers() const override { return {upstream_}; }
  Status prepare() override {
    authorization_ = "Authorization: Bearer " + make_token(++number_);
    body_.clear();
    return {};
  }
  Status query() override {
    headers_.reset(::curl_slist_append(nullptr, authorization_.c_str()));
    ::curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
    const CURLcode code = ::curl_easy_perform(easy_.get());
    if (code != CURLE_OK)
      return failure(fmt::format("the request to the stub failed: {}", ::curl_easy_strerror(code)));
    return {};
  }
  Status check() override {
    if (body_ != claims_) return failure("the stub did not answer with the claims");
    return {};
  }

 private:
  std::unique_ptr<CURL, CleanEasy> easy_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  pid_t upstream_;
  std::uint64_t number_ = 0;
  std::string authorization_;
  std::string body_;
  const std::string claims_ = claims_json();
};

}  // namespace

Result<ContenderPtr> start_bare_curl(const Scratch& scratch, const HttpStub& upstream) {
  const std::string trusted = TRY(trusted_file(scratch, upstream));
  CURL* easy = ::curl_easy_init();
  if (easy == nullptr) return failure("cannot create a libcurl handle: out of memory");
  return std::make_unique<BareCurl>(easy, upstream, trusted);
}

}  // namespace claimsd::bench
