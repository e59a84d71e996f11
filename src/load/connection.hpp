// Connection: a socket that never blocks, with TLS where the address wants it.
#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "load/job.hpp"
#include "load/measured.hpp"

namespace headroom::load {

// What a call to a connection came to.
enum class Progress {
  done,    // all of it
  waits,   // for the socket: call again when it is ready
  ended,   // the other side has closed its half
  failed,  // see Connection::fault()
};

// The settings of TLS that all connections of a test share.
class Tls {
 public:
  // Errors: a file of certificates that cannot be read.
  static base::Result<Tls> of(const Job& job);
  SSL_CTX* context() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

class Connection {
 public:
  Connection() = default;
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to connect. `stamped`: received() is when the kernel received the bytes, not when they were read.
  // done and waits are the same to the caller: ready() is called when the socket is ready.
  Progress open(const Job& job, const Tls& tls, std::size_t number, bool stamped);
  // Goes on with connecting and the handshake of TLS.
  Progress establish();
  bool is_open() const { return socket_ >= 0; }
  bool established() const { return established_; }
  int socket() const { return socket_; }

  // Sends from `bytes` and takes what was sent off them.
  Progress send(std::string_view& bytes);

  struct Received {
    Progress progress = Progress::waits;
    std::size_t bytes = 0;
    bool full = false;  // the buffer is: there may be more
    // Since 1970, of the last of these bytes; unset: no stamp, they came just now.
    std::optional<base::Nanoseconds> at;
  };
  Received receive(char* buffer, std::size_t size);

  void close();

  // Of the last call that failed: its class, and for people what the system says.
  Outcome outcome() const { return outcome_; }
  const std::string& fault() const { return fault_; }

 private:
  Progress fail(Outcome outcome, std::string fault);
  Progress fail_with_errno(int error);
  Progress of_tls(int returned);

  struct Free {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  int socket_ = -1;
  std::unique_ptr<SSL, Free> tls_;
  bool connected_ = false;
  bool established_ = false;
  bool stamped_ = false;
  Outcome outcome_ = Outcome::answered;
  std::string fault_;
};

}  // namespace headroom::load
