// request.h: the headers and the body of a request to an Auth API, in memory that is wiped.
//
// userinfo: the token in the Authorization header. introspection (RFC 7662): the token in a form,
// and our own credentials in the Authorization header or in the form. libcurl reads the header list
// and the form but does not own them, so that a request allocates nothing. Owned by a Transfer;
// fetch thread.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/secret.h"
#include "daemon/upstream/credential_files.h"
#include "daemon/upstream/settings.h"

namespace claimsd::upstream {

class Request {
 public:
  // `credentials` may be null: there are no files.
  Request(const UpstreamSettings& settings, const Credentials* credentials);
  ~Request() { clear(); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Takes a copy of the token. False if it contains a byte that must not be in a header: nothing
  // else may reach curl, which sends line breaks unchanged.
  bool set_token(std::string_view token);
  // Wipes the token.
  void clear();

  std::string_view token() const { return token_.view(); }
  // Valid and unchanged for the life of this object.
  curl_slist* headers() { return headers_.data(); }
  // Whether form() is the body of a POST.
  bool has_form() const { return is_introspection_; }
  std::string_view form() const { return form_.view(); }

 private:
  void add_header(std::string_view line);
  void link_headers();

  const bool is_introspection_;
  Secret token_;
  std::vector<Secret> lines_;  // NUL-terminated; not resized after the constructor
  std::vector<curl_slist> headers_;
  std::size_t authorization_ = 0;      // index of the line that ends with the token
  std::size_t authorization_end_ = 0;  // where the token begins in it
  Secret form_start_;                  // everything before the token
  Secret form_;
};

// As in a form: letters, digits and "-._~" stay, all else becomes %XX (RFC 6749 appendix B, whose
// "+" for a space is optional).
Secret form_encoded(std::string_view text);
// "Basic …", of the encoded id and secret (RFC 6749 section 2.3.1).
Secret basic_credentials(std::string_view id, std::string_view secret);

}  // namespace claimsd::upstream
