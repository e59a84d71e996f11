#include "load/prepared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "workload/placeholders.hpp"

namespace headroom::load {
namespace {

bool is_named(const workload::Request& request, std::string_view lower_case) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const workload::Header& header) {
    return header.name.size() == lower_case.size() &&
           std::equal(header.name.begin(), header.name.end(), lower_case.begin(),
                      [&](char a, char b) { return lower(a) == b; });
  });
}

}  // namespace

base::Result<Prepared> Prepared::of(const workload::Requests& requests, const Url& url) {
  Prepared prepared;
  prepared.variables_ = requests.variables;
  prepared.choice_ = requests.choice;
  std::vector<workload::Request> list = requests.list;
  if (list.empty()) {
    list.emplace_back();
    list.back().path = "";
  }
  // A path is appended to that of the address, whose query belongs to it alone.
  std::string before = url.path;
  if (!requests.list.empty() && !list.front().path.empty()) {
    before = url.path.substr(0, url.path.find('?'));
    while (before.ends_with('/')) before.pop_back();
  }
  double sum = 0;
  for (const workload::Request& request : list) sum += request.weight;
  double weight = 0;
  for (const workload::Request& wanted : list) {
    Request request;
    request.method = wanted.method;
    request.name =
        wanted.name.empty() ? fmt::format("{} {}", wanted.method, before + wanted.path) : wanted.name;
    weight += wanted.weight;
    request.weight_up_to = weight / sum;
    request.idempotent = wanted.method == "GET" || wanted.method == "HEAD" || wanted.method == "PUT" ||
                         wanted.method == "DELETE" || wanted.method == "OPTIONS" || wanted.method == "TRACE";
    std::string fields;
    if (!is_named(wanted, "host")) fields += fmt::format("Host: {}\r\n", url.authority());
    if (!is_named(wanted, "user-agent")) fields += "User-Agent: headroom\r\n";
    if (!is_named(wanted, "accept")) fields += "Accept: */*\r\n";
    for (const workload::Header& header : wanted.headers) {
      fields += fmt::format("{}: {}\r\n", header.name, header.value);
    }
    const auto take = [&](std::string_view text, Pieces& into) -> base::Result<void> {
      auto found = prepared.pieces(text);
      if (!found) return found.error();
      into = std::move(*found);
      return {};
    };
    if (auto taken = take(before + wanted.path, request.path); !taken) return taken.error();
    if (auto taken = take(fields, request.fields); !taken) return taken.error();
    if (auto taken = take(wanted.body, request.body); !taken) return taken.error();
    const auto varies = [](const Pieces& pieces) {
      return std::any_of(pieces.begin(), pieces.end(), [](const Piece& piece) { return piece.is_variable; });
    };
    if (!varies(request.path) && !varies(request.fields) && !varies(request.body)) {
      request.fixed = prepared.written(request, 0, request.method, {}, true);
    }
    prepared.requests_.push_back(std::move(request));
  }
  return prepared;
}

base::Result<Prepared::Pieces> Prepared::pieces(std::string_view text) const {
  Pieces pieces;
  for (const workload::TextPart& part : workload::parts_of(text)) {
    Piece piece;
    if (!part.is_name) {
      piece.text = part.text;
      pieces.push_back(std::move(piece));
      continue;
    }
    for (std::size_t table = 0; table < variables_.size(); ++table) {
      const auto& names = variables_[table].names;
      const auto column = std::find(names.begin(), names.end(), part.text);
      if (column == names.end() || variables_[table].rows.empty()) continue;
      piece.table = table;
      piece.column = static_cast<std::size_t>(column - names.begin());
      piece.is_variable = true;
    }
    if (!piece.is_variable) {
      return base::bad_input(fmt::format("there is no variable {}", base::in_quotes(part.text)),
                             "name a CSV file with that heading under `variables`");
    }
    pieces.push_back(piece);
  }
  return pieces;
}

void Prepared::append(const Pieces& pieces, std::uint64_t row, std::string& out) const {
  for (const Piece& piece : pieces) {
    if (piece.is_variable) {
      const auto& rows = variables_[piece.table].rows;
      out += rows[row % rows.size()][piece.column];
    } else {
      out += piece.text;
    }
  }
}

std::string Prepared::written(const Request& request, std::uint64_t row, std::string_view method,
                              std::string_view path, bool with_body) const {
  std::string out(method);
  out += ' ';
  if (path.empty()) {
    append(request.path, row, out);
  } else {
    out += path;
  }
  out += " HTTP/1.1\r\n";
  append(request.fields, row, out);
  std::string body;
  if (with_body) append(request.body, row, body);
  const bool expected = method == "POST" || method == "PUT" || method == "PATCH";
  if (!body.empty() || (with_body && expected)) out += fmt::format("Content-Length: {}\r\n", body.size());
  return out += "\r\n" + body;
}

std::size_t Prepared::chosen(double uniform) const {
  const auto found = std::find_if(requests_.begin(), requests_.end(),
                                  [&](const Request& request) { return uniform < request.weight_up_to; });
  return found == requests_.end() ? requests_.size() - 1
                                  : static_cast<std::size_t>(found - requests_.begin());
}

std::string_view Prepared::bytes(std::size_t request, std::uint64_t row, std::string& storage) const {
  const Request& wanted = requests_[request];
  if (!wanted.fixed.empty()) return wanted.fixed;
  storage = written(wanted, row, wanted.method, {}, true);
  return storage;
}

std::string Prepared::redirected(std::size_t request, std::uint64_t row, const std::string& path,
                                 bool as_get) const {
  const Request& wanted = requests_[request];
  return written(wanted, row, as_get ? "GET" : wanted.method, path, !as_get);
}

}  // namespace headroom::load
