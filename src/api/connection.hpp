// Connection: an accepted connection as the stream that the HTTP library reads and writes, with limits on
// what a client can send and on how long it can keep us waiting.
#pragma once

#include <httplib.h>

#include <chrono>

#include "base/quantity.hpp"
#include "store/descriptor.hpp"

namespace headroom::api {

class Connection final : public httplib::Stream {
 public:
  struct Limits {
    std::int64_t bytes_max = 0;         // that are read, head and body
    base::Milliseconds request_max{0};  // until the whole request is there
    base::Milliseconds write_max{0};    // until a client takes what is written
  };

  Connection(store::Descriptor socket, Limits limits)
      : socket_(std::move(socket)),
        limits_(limits),
        read_until_(std::chrono::steady_clock::now() + limits.request_max) {}

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* bytes, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // None: the library asks only whether select() could take its number.
  socket_t socket() const override { return -1; }

 private:
  bool wait_for(short events, std::chrono::steady_clock::time_point until) const;

  store::Descriptor socket_;
  Limits limits_;
  std::chrono::steady_clock::time_point read_until_;
  std::int64_t read_bytes_ = 0;
  bool gone_ = false;  // it did not take what was written; nothing more is tried
};

}  // namespace headroom::api
