// Certificate files: which are rejected, and when a change takes effect.
#include <filesystem>
#include <fstream>

#include "daemon/upstream/credential_watch.h"
#include "tests/support/scratch_directory.h"
#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

// Copies of one Auth API's files as the fault server generated them. The test may change them.
struct Files {
  test::FaultServer& server = fresh_fault_server();
  testing::ScratchDirectory scratch;
  UpstreamSettings settings;

  Files() {
    settings.name = "main";
    settings.url = "https://auth.example.com";
    settings.ca_file = put("ca.pem", of("ca.pem"));
    settings.client_certificate = put("client.pem", of("client.pem"));
    settings.client_key = put("client.key", of("client.key"));
  }
  std::string of(const std::string& name) const { return content_of(server.tls_file(name)); }
  std::string put(const std::string& name, std::string_view text) const {
    const fs::path path = fs::path(scratch.path()) / name;
    write(path, text);
    return path;
  }
  // Replaces a file by rename, like editors and deployment tools.
  void rename_over(const std::string& name, std::string_view text) const {
    fs::rename(put(name + ".new", text), fs::path(scratch.path()) / name);
  }
  std::string error() const {
    const auto read = read_credentials(settings);
    return read ? "" : read.error().message;
  }
};

TEST_CASE("usable certificates take effect, with their expiry") {
  Files files;
  const auto read = read_credentials(files.settings);
  REQUIRE(read);
  CHECK((*read)->tls->has_authorities());
  REQUIRE((*read)->tls->certificate_end());
  const auto left = *(*read)->tls->certificate_end() - SystemClock().now().wall;
  CHECK(left > std::chrono::hours(29 * 24));
  CHECK(left < std::chrono::hours(31 * 24));
}

TEST_CASE("a key may be in the certificate's file") {
  Files files;
  files.put("client.pem", files.of("client.key") + files.of("client.pem"));
  files.settings.client_key.clear();
  CHECK(files.error().empty());
}

TEST_CASE("an unreadable file is named at start, not at the first query") {
  Files files;
  const std::string missing = "/nonexistent/file.pem";
  const std::string option = GENERATE("ca_file", "client_certificate", "client_key");
  if (option == "ca_file") files.settings.ca_file = missing;
  if (option == "client_certificate") files.settings.client_certificate = missing;
  if (option == "client_key") files.settings.client_key = missing;
  CHECK(files.error() == "upstream.main." + option +
                             ": cannot read /nonexistent/file.pem: No such file or directory");
}

TEST_CASE("incomplete certificates are rejected, and the message names the reason") {
  Files files;
  struct Row {
    const char* option;
    const char* file;
    std::string text;
    const char* why;
  };
  const std::string ca = files.of("ca.pem"), client = files.of("client.pem");
  const std::string key = files.of("client.key");
  const std::vector<Row> rows = {
      {"ca_file", "ca.pem", "", "the file is empty"},
      {"ca_file", "ca.pem", "nothing of the kind\n", "the file contains no certificate"},
      {"ca_file", "ca.pem", key, "the file contains no certificate"},
      {"ca_file", "ca.pem", ca.substr(0, ca.size() / 2),
       "the file is truncated within a certificate"},
      // OpenSSL would accept the first certificate.
      {"ca_file", "ca.pem", ca + client.substr(0, client.size() / 2),
       "the file is truncated within a certificate"},
      {"ca_file", "ca.pem", ca + "-----BEGIN CERTIF", "the file is truncated within a certificate"},
      {"ca_file", "ca.pem", std::string(1024 * 1024, '\n'), "larger than 1 MiB"},
      {"client_certificate", "client.pem", key, ""},
      {"client_certificate", "client.pem", client.substr(0, 200),
       "the file is truncated within a certificate"},
      {"client_key", "client.key", client, "cannot read a private key"},
      {"client_key", "client.key", key.substr(0, 100), "the file is truncated"},
      {"client_key", "client.key", files.of("next/client.key"),
       "the key does not match client_certificate"},
  };
  for (const Row& row : rows) {
    const std::string before = content_of(fs::path(files.scratch.path()) / row.file);
    files.put(row.file, row.text);
    const std::string error = files.error();
    INFO(row.option << ": " << error);
    CHECK(error.starts_with(std::string("upstream.main.") + row.option + ": "));
    CHECK(error.find(row.why) != std::string::npos);
    CHECK(error.find("BEGIN") == std::string::npos);
    files.put(row.file, before);
    CHECK(files.error().empty());
  }
}

TEST_CASE("a change takes effect once two looks in a row find the same files") {
  Files files;
  const auto watch = CredentialWatch::create(files.settings).value();
  const auto before = watch->current();
  CHECK_FALSE(watch->look());
  const bool renamed = GENERATE(false, true);
  if (renamed) {
    files.rename_over("ca.pem", files.of("next/ca.pem"));
  } else {
    files.put("ca.pem", files.of("next/ca.pem"));
  }
  CHECK_FALSE(watch->look());
  CHECK(watch->current() == before);
  const auto report = watch->look();
  REQUIRE(report);
  CHECK(report->error.empty());
  CHECK(watch->current() != before);
  CHECK_FALSE(watch->look());
}

TEST_CASE("two files written one after the other take effect together") {
  Files files;
  const auto watch = CredentialWatch::create(files.settings).value();
  const auto before = watch->current();
  files.put("client.pem", files.of("next/client.pem"));  // key and certificate do not match
  CHECK_FALSE(watch->look());
  files.put("client.key", files.of("next/client.key"));
  CHECK_FALSE(watch->look());
  const auto report = watch->look();
  REQUIRE(report);
  CHECK(report->error.empty());
  CHECK(watch->current() != before);
}

TEST_CASE(
    "a broken file is reported once and leaves the old certificates in effect until it is fixed") {
  Files files;
  const auto watch = CredentialWatch::create(files.settings).value();
  const auto before = watch->current();
  const std::string whole = files.of("next/ca.pem");
  files.put("ca.pem", whole.substr(0, 300));
  CHECK_FALSE(watch->look());
  const auto report = watch->look();
  REQUIRE(report);
  CHECK(report->error.find("upstream.main.ca_file") != std::string::npos);
  CHECK(report->certificate_end == before->tls->certificate_end());
  for (int i = 0; i < 3; ++i) CHECK_FALSE(watch->look());
  CHECK(watch->current() == before);

  files.put("ca.pem", whole);
  CHECK_FALSE(watch->look());
  const auto recovered = watch->look();
  REQUIRE(recovered);
  CHECK(recovered->error.empty());
  CHECK(watch->current() != before);
}

TEST_CASE("a file that disappears and comes back is no error once it is there") {
  Files files;
  const auto watch = CredentialWatch::create(files.settings).value();
  fs::remove(files.settings.client_key);
  CHECK_FALSE(watch->look());
  const auto gone = watch->look();
  REQUIRE(gone);
  CHECK(gone->error.find("client_key: cannot read") != std::string::npos);
  files.put("client.key", files.of("client.key"));
  CHECK_FALSE(watch->look());
  const auto back = watch->look();
  REQUIRE(back);
  CHECK(back->error.empty());
}

}  // namespace
}  // namespace claimsd::upstream
