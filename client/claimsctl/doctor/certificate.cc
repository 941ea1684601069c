#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "client/claimsctl/doctor/gather.h"

namespace claimsd::ctl::doctor {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

Result<daemon::WallTime> certificate_end(const std::string& pem) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<X509, Free> certificate(
      bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  tm end{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
    return daemon::failure("not a PEM certificate");
  return daemon::WallTime(seconds(timegm(&end)));
}

}  // namespace claimsd::ctl::doctor
