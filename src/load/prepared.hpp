// Prepared: requests as the bytes that are sent, with places for what changes from one to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "load/target.hpp"
#include "workload/request.hpp"

namespace headroom::load {

class Prepared {
 public:
  // Requests without a list: GET of the URL's path. The path of each request is appended to the URL's, unless
  // that is "/". Errors: unknown variables.
  static base::Result<Prepared> of(const workload::Requests& requests, const Url& url);

  std::size_t size() const { return requests_.size(); }
  const std::string& name(std::size_t request) const { return requests_[request].name; }
  bool is_head(std::size_t request) const { return requests_[request].method == "HEAD"; }
  // Whether sending it twice is the same as once. Source: RFC 9110, section 9.2.2.
  bool is_idempotent(std::size_t request) const { return requests_[request].idempotent; }
  workload::Choice choice() const { return choice_; }

  // By weight, from a number of [0, 1).
  std::size_t chosen(double uniform) const;

  // The bytes of a request whose variables have the values of this row (counted on from the first again
  // behind the last). Lives in the Prepared or in `storage`.
  std::string_view bytes(std::size_t request, std::uint64_t row, std::string& storage) const;

  // The same request, sent where a redirection leads; `as_get`: as a GET without body.
  std::string redirected(std::size_t request, std::uint64_t row, const std::string& path, bool as_get) const;

 private:
  // Text, or the value of a column of a table of variables.
  struct Piece {
    std::string text;
    std::size_t table = 0;
    std::size_t column = 0;
    bool is_variable = false;
  };
  using Pieces = std::vector<Piece>;
  struct Request {
    std::string name;
    std::string method;
    double weight_up_to = 0;  // the sum of the weights up to this one, of a sum of 1
    bool idempotent = true;
    Pieces path;
    Pieces fields;
    Pieces body;
    std::string fixed;  // the whole, where there are no variables
  };

  base::Result<Pieces> pieces(std::string_view text) const;
  void append(const Pieces& pieces, std::uint64_t row, std::string& out) const;
  std::string written(const Request& request, std::uint64_t row, std::string_view method,
                      std::string_view path, bool with_body) const;

  std::vector<Request> requests_;
  std::vector<workload::Variables> variables_;
  workload::Choice choice_ = workload::Choice::weighted;
};

}  // namespace headroom::load
