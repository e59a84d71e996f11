// Listener: a Unix socket that only its owner reaches, and that one living process alone listens on.
#pragma once

#include <filesystem>
#include <optional>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "store/descriptor.hpp"

namespace headroom::api {

class Listener {
 public:
  // The folder is created where it is missing, and others lose the right to list it or to write to it. A
  // socket that a process left behind is replaced. Errors: a process listens there already; the path is too
  // long or something else; the folder is not ours.
  static base::Result<Listener> open(const std::filesystem::path& socket);

  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();  // removes the socket

  int number() const { return socket_.number(); }
  // The next connection that is waiting, of our own user or root: others are turned away, and so is one that
  // has gone meanwhile. Does not wait.
  std::optional<store::Descriptor> accept() const;

 private:
  Listener(std::filesystem::path path, store::Descriptor lock, store::Descriptor socket)
      : path_(std::move(path)), lock_(std::move(lock)), socket_(std::move(socket)) {}

  std::filesystem::path path_;
  store::Descriptor lock_;  // of the file beside the socket: taken while we live
  store::Descriptor socket_;
};

// A connection to a socket. Nothing: nobody listens there. Errors: no permission, a path that is too long.
base::Result<std::optional<store::Descriptor>> connect_to(const std::filesystem::path& socket);

}  // namespace headroom::api
