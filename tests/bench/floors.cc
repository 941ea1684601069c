#include "tests/bench/floors.h"

#include <ctime>
#include <utility>

#include "client/src/token_hash.h"
#include "proto/claims_block.h"
#include "proto/sealing.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

// Keeps the compiler from optimizing the computation away.
template <class Value>
void use(const Value& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

class Floor : public Contender {
 public:
  explicit Floor(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::vector<pid_t> servers() const override { return {}; }
  int answers_per_ask() const override { return kBatch; }
  Status ask() override {
    for (int i = 0; i < kBatch; ++i) work();
    return {};
  }
  Status check() override {
    if (right_) return {};
    return failure("the floor did not find its entry");
  }

 protected:
  virtual void work() = 0;
  bool right_ = true;

 private:
  static constexpr int kBatch = 32;
  std::string name_;
};

class LocalFloor final : public Floor {
 public:
  LocalFloor() : Floor("floor"), token_(make_token(1)), kept_(token_) {
    client_impl::TokenHash::Key key{};
    std::uint64_t odd = 0x9e3779b97f4a7c15;
    for (std::uint64_t& lane : key.lanes) lane = odd += 0x9e3779b97f4a7c14;
    for (std::uint64_t& word : key.words) word = odd += 0x9e3779b97f4a7c14;
    hash_ = client_impl::TokenHash(key);
    expected_ = hash_(token_);
  }

 private:
  void work() override {
    use(token_);
    right_ =
        hash_(token_) == expected_ && std::memcmp(token_.data(), kept_.data(), kTokenSize) == 0;
    use(line_.load(std::memory_order_acquire));
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    use(now);
  }

  std::string token_;
  std::string kept_;
  client_impl::TokenHash hash_;
  std::uint64_t expected_ = 0;
  alignas(64) proto::MapWord line_{1};
};

class SharedFloor final : public Floor {
 public:
  SharedFloor() : Floor("floor"), token_(make_token(1)), slot_(proto::kSlotWords) {}

  Status seal() {
    std::array<char, proto::kMaxSlotClaims> block;
    proto::Writer writer(block.data(), block.size());
    const std::array<std::string_view, 1> roles{"rvt"};
    proto::encode_claims(writer, "user-123", "tech@example.com", roles, claims_json());
    proto::SlotSecret secret;
    proto::SlotCopy copy{};
    copy.words[proto::kSlotSequence] = 2;
    copy.words[proto::kSlotMeta] = proto::pack({static_cast<std::uint32_t>(writer.size()), 0, 0});
    if (!sealer_.open() || !sealer_.derive(id_, 0, token_, secret) ||
        !sealer_.seal(secret, {block.data(), writer.size()}, copy)) {
      return failure("cannot seal a slot: libcrypto lacks SHA-256 or AES-256-GCM");
    }
    for (std::size_t i = 0; i < proto::kSlotWords; ++i) slot_[i].store(copy.words[i]);
    return {};
  }

 private:
  void work() override {
    use(token_);
    proto::SlotSecret secret;
    right_ = sealer_.derive(id_, 0, token_, secret);
    proto::SlotCopy copy;
    for (std::size_t i = 0; i < proto::kSlotWords; ++i) {
      copy.words[i] = slot_[i].load(std::memory_order_acquire);
    }
    right_ = right_ && sealer_.unseal(secret, copy, claims_.data()) > 0;
    use(claims_);
  }

  std::string token_;
  proto::MapId id_{};
  proto::Sealer sealer_;
  std::vector<proto::MapWord> slot_;
  std::array<char, proto::kMaxSlotClaims> claims_{};
};

}  // namespace

Result<ContenderPtr> start_floor_local() {
  return std::make_unique<LocalFloor>();
}

Result<ContenderPtr> start_floor_shared() {
  auto floor = std::make_unique<SharedFloor>();
  TRY(floor->seal());
  return floor;
}

}  // namespace claimsd::bench
