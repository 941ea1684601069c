// token_name.h: the text by which a revocation names a token.
//
// A verifier may accept several spellings of one token: decoders of base64url ignore unused bits,
// padding and foreign characters. A revocation must cover all of them, so it names only what a
// holder of the token cannot change:
//
//   three parts, the first decodes to JSON   header.payload as spelled: this text is signed (RFC
//                                            7515, section 5.1), the signature's spelling is not
//   five parts, the first decodes to JSON    the canonical encoding of all parts (RFC 7516): the
//                                            header is authenticated as spelled, the rest as bytes
//   any other token                          the whole text; another spelling may exist
//
// No token is rejected for its spelling. Decoding is lenient: it discards foreign characters and
// stops at complete padding, as Python's base64 module does. Pure; any thread.
#pragma once

#include <string_view>

#include "daemon/base/secret.h"

namespace claimsd::claims {

class TokenName {
 public:
  // `token` must outlive this object.
  explicit TokenName(std::string_view token);

  std::string_view text() const { return canonical_.empty() ? spelled_ : canonical_.view(); }
  // True if every spelling of the token has this name.
  bool covers_all_spellings() const { return covers_all_; }

 private:
  std::string_view spelled_;
  Secret canonical_;  // of a token with five parts
  bool covers_all_ = false;
};

}  // namespace claimsd::claims
