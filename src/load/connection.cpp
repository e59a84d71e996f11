#include "load/connection.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/units.hpp"

namespace headroom::load {
namespace {

constexpr int kYes = 1;

// What OpenSSL says of its last fault, and forgets it.
std::string tls_fault() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "the handshake of TLS failed";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "the handshake of TLS failed";
}

Outcome outcome_of(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Outcome::refused;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return Outcome::reset;
    case ETIMEDOUT:
      return Outcome::timed_out;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return Outcome::no_descriptor;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
      return Outcome::no_port;
    default:
      return Outcome::unreachable;
  }
}

bool is_address(const std::string& host) {
  in_addr four{};
  in6_addr six{};
  return inet_pton(AF_INET, host.c_str(), &four) == 1 || inet_pton(AF_INET6, host.c_str(), &six) == 1;
}

}  // namespace

base::Result<Tls> Tls::of(const Job& job) {
  Tls tls;
  if (!job.url.tls) return tls;
  tls.context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!tls.context_) return base::unavailable("TLS cannot be used: " + tls_fault());
  SSL_CTX* context = tls.context();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  if (!job.options.verify) return tls;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const std::string& file = job.options.certificates;
  const int loaded = file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                  : SSL_CTX_load_verify_file(context, file.c_str());
  if (loaded != 1) {
    return base::bad_input(fmt::format("no certificates to trust in {}: {}",
                                       file.empty() ? "the system's store" : file, tls_fault()),
                           "name a file of certificates in PEM form");
  }
  return tls;
}

Progress Connection::fail(Outcome outcome, std::string fault) {
  outcome_ = outcome;
  fault_ = std::move(fault);
  return Progress::failed;
}

Progress Connection::fail_with_errno(int error) { return fail(outcome_of(error), std::strerror(error)); }

Progress Connection::open(const Job& job, const Tls& tls, std::size_t number, bool stamped) {
  close();
  const Address& address = job.addresses[number % job.addresses.size()];
  socket_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return fail_with_errno(errno);
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &kYes, sizeof kYes);
  // TLS reads by itself, without the stamps.
  stamped_ = stamped && tls.context() == nullptr;
  if (stamped_) setsockopt(socket_, SOL_SOCKET, SO_TIMESTAMPNS, &kYes, sizeof kYes);
  if (!job.sources.empty()) {
    const Address& source = job.sources[number % job.sources.size()];
    // The port is chosen with the address it leads to, so that each source has all ports towards each target.
    setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &kYes, sizeof kYes);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&source.storage), source.length) != 0) {
      return fail_with_errno(errno);
    }
  }
  if (tls.context() != nullptr) {
    tls_.reset(SSL_new(tls.context()));
    if (!tls_ || SSL_set_fd(tls_.get(), socket_) != 1) return fail(Outcome::tls, tls_fault());
    SSL_set_connect_state(tls_.get());
    if (is_address(job.url.host)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), job.url.host.c_str());
    } else {
      // What the macro SSL_set_tlsext_host_name does, without its C casts.
      std::string name = job.url.host;
      SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
      SSL_set1_host(tls_.get(), job.url.host.c_str());
    }
  }
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address.storage), address.length) == 0) {
    connected_ = true;
    return establish();
  }
  return errno == EINPROGRESS ? Progress::waits : fail_with_errno(errno);
}

Progress Connection::establish() {
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return fail_with_errno(error);
    // Not yet, where something else woke us.
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (getpeername(socket_, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return Progress::waits;
    connected_ = true;
  }
  if (tls_) {
    const int done = SSL_do_handshake(tls_.get());
    if (done != 1) {
      const Progress progress = of_tls(done);
      if (progress == Progress::ended)
        return fail(Outcome::tls, "the server closed the connection in the handshake");
      if (progress == Progress::failed && outcome_ != Outcome::reset) outcome_ = Outcome::tls;
      return progress;
    }
  }
  established_ = true;
  return Progress::done;
}

Progress Connection::of_tls(int returned) {
  const int error = errno;
  switch (SSL_get_error(tls_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Progress::waits;
    case SSL_ERROR_ZERO_RETURN:
      return Progress::ended;
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return error == 0 ? Progress::ended : fail_with_errno(error);
    default: {
      const long verified = SSL_get_verify_result(tls_.get());
      const bool asked = SSL_get_verify_mode(tls_.get()) != SSL_VERIFY_NONE;
      if (asked && !established_ && verified != X509_V_OK) {
        ERR_clear_error();
        return fail(Outcome::tls, fmt::format("the certificate is not trusted: {}",
                                              X509_verify_cert_error_string(verified)));
      }
      return fail(Outcome::tls, tls_fault());
    }
  }
}

Progress Connection::send(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (tls_) {
      std::size_t sent = 0;
      const int done = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &sent);
      if (done != 1) return of_tls(done);
      bytes.remove_prefix(sent);
      continue;
    }
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? Progress::waits : fail_with_errno(errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return Progress::done;
}

Connection::Received Connection::receive(char* buffer, std::size_t size) {
  Received received;
  if (tls_) {
    const int done = SSL_read_ex(tls_.get(), buffer, size, &received.bytes);
    received.progress = done == 1 ? Progress::done : of_tls(done);
    received.full = done == 1;  // another record may lie within OpenSSL
    return received;
  }
  ssize_t got = 0;
  if (stamped_) {
    iovec part{buffer, size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    got = recvmsg(socket_, &message, 0);
    const cmsghdr* stamp = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (stamp != nullptr && stamp->cmsg_level == SOL_SOCKET && stamp->cmsg_type == SCM_TIMESTAMPNS) {
      timespec at{};
      std::memcpy(&at, CMSG_DATA(stamp), sizeof at);
      received.at = std::chrono::seconds(at.tv_sec) + base::Nanoseconds(at.tv_nsec);
    }
  } else {
    got = recv(socket_, buffer, size, 0);
  }
  if (got > 0) {
    received.progress = Progress::done;
    received.bytes = static_cast<std::size_t>(got);
    received.full = received.bytes == size;
  } else if (got == 0) {
    received.progress = Progress::ended;
  } else {
    received.progress = errno == EAGAIN || errno == EINTR ? Progress::waits : fail_with_errno(errno);
  }
  return received;
}

void Connection::close() {
  tls_.reset();
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  connected_ = established_ = false;
}

}  // namespace headroom::load
