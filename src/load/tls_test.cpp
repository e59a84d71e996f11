// The load generator over TLS, against a server with a certificate made for the test.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "load/run.hpp"
#include "load/scripted_server.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::load {
namespace {

// A key and a certificate for 127.0.0.1, signed by itself.
class Certificate {
 public:
  Certificate() : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate_(X509_new(), &X509_free) {
    X509* certificate = certificate_.get();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key_.get());
    X509_NAME* name = X509_get_subject_name(certificate);
    const std::string words = "a test";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(words.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    for (const auto& [kind, value] :
         {std::pair(NID_subject_alt_name, "IP:127.0.0.1"), std::pair(NID_basic_constraints, "CA:TRUE")}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
      X509_add_ext(certificate, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(certificate, key_.get(), EVP_sha256());
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), certificate);
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
  }

  SSL_CTX* context() { return context_.get(); }
  void write(const std::filesystem::path& file) const {
    std::FILE* out = std::fopen(file.c_str(), "w");
    ASSERT_NE(out, nullptr);
    PEM_write_X509(out, certificate_.get());
    std::fclose(out);
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, &SSL_CTX_free};
};

class OverTls : public ::testing::Test {
 protected:
  Measured measured(const std::string& address, const Options& options, int rate = 0) {
    workload::Traffic traffic;
    if (rate > 0) {
      traffic.shape = workload::Open{base::Rate(0),
                                     {{base::Milliseconds(500), base::Rate(rate), base::Rate(rate)}},
                                     workload::SampleAt::mean};
    } else {
      workload::ClosedStage stage;
      stage.users = 2;
      stage.requests_each = 10;
      traffic.shape = workload::Closed{{stage}, true};
    }
    const auto job = prepare(traffic, *parse_url(address), options);
    const std::atomic<bool> stop = false;
    auto result = job ? run(*job, stop, {}) : base::Result<Measured>(job.error());
    if (!result) ADD_FAILURE() << base::to_string(result.error());
    return result ? *result : Measured{};
  }
  static std::uint64_t count(const Measured& measured, Outcome outcome) {
    return measured.total().counts.outcomes[static_cast<std::size_t>(outcome)];
  }

  Certificate certificate;
  store::TemporaryFolder folder;
};

TEST_F(OverTls, TrustsTheCertificatesItIsGiven) {
  ScriptedServer server([](Visit& visit) { visit.answer(200, std::string(40'000, 'x')); },
                        certificate.context());
  certificate.write(folder.path() / "trusted.pem");
  Options options;
  options.certificates = (folder.path() / "trusted.pem").string();
  const Measured closed = measured(server.url(), options);
  EXPECT_EQ(closed.total().counts.failed(), 0U) << closed.first_fault;
  EXPECT_EQ(closed.total().body_bytes, 20U * 40'000);
  EXPECT_EQ(closed.connections, 2U);
  const Measured open = measured(server.url(), options, 200);
  EXPECT_EQ(open.total().counts.failed(), 0U) << open.first_fault;
  EXPECT_EQ(open.total().counts.all(), 100U);
}

TEST_F(OverTls, RefusesACertificateOfNobodyItTrusts) {
  ScriptedServer server([](Visit& visit) { visit.answer(); }, certificate.context());
  const Measured result = measured(server.url(), {}, 20);
  EXPECT_EQ(count(result, Outcome::tls), 10U);
  EXPECT_NE(result.first_fault.find("self-signed certificate"), std::string::npos) << result.first_fault;
  Options options;
  options.verify = false;
  EXPECT_EQ(count(measured(server.url(), options), Outcome::answered), 20U);
}

TEST_F(OverTls, RefusesACertificateOfAnotherHost) {
  ScriptedServer server([](Visit& visit) { visit.answer(); }, certificate.context());
  certificate.write(folder.path() / "trusted.pem");
  Options options;
  options.certificates = (folder.path() / "trusted.pem").string();
  const Measured result = measured(fmt::format("https://localhost:{}/", server.port()), options, 20);
  EXPECT_EQ(count(result, Outcome::tls) + count(result, Outcome::refused), 10U) << result.first_fault;
}

TEST_F(OverTls, CountsAServerThatSpeaksNoTls) {
  ScriptedServer server([](Visit& visit) { visit.answer(); });
  Options options;
  options.timeout = base::Milliseconds(500);
  const Measured result = measured(fmt::format("https://127.0.0.1:{}/", server.port()), options, 20);
  EXPECT_EQ(result.total().counts.failed(), 10U);
  EXPECT_EQ(count(result, Outcome::answered), 0U);
}

TEST_F(OverTls, SaysThatAFileHoldsNoCertificates) {
  Options options;
  options.certificates = (folder.path() / "missing.pem").string();
  workload::Traffic traffic;
  traffic.shape = workload::Closed{{workload::ClosedStage{}}, true};
  const auto job = prepare(traffic, *parse_url("https://127.0.0.1:9/"), options);
  ASSERT_TRUE(job);
  const std::atomic<bool> stop = false;
  EXPECT_FALSE(run(*job, stop, {}));
}

}  // namespace
}  // namespace headroom::load
