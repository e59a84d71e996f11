// Request: what is asked of a service when real traffic is driven.
#pragma once

#include <string>
#include <vector>

namespace headroom::workload {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

// `${name}` in the path, the headers' values and the body stands for the value of a variable.
struct Request {
  std::string name;   // as figures call it; empty: method and path
  double weight = 1;  // of all requests, where they are chosen by weight; above 0
  std::string method = "GET";
  std::string path = "/";
  std::vector<Header> headers;
  std::string body;
  bool operator==(const Request&) const = default;
};

// Variables with values from the rows of a CSV: each request takes the next row, and after the last one the
// first.
struct Variables {
  std::string file;                // as written in the traffic file
  std::vector<std::string> names;  // the headings
  std::vector<std::vector<std::string>> rows;
  bool operator==(const Variables&) const = default;
};

enum class Choice {
  weighted,  // by chance, in the proportion of the weights
  in_order,  // one after the other; in closed traffic each user from the first one on
};

struct Requests {
  std::vector<Request> list;  // empty: GET of the address that is driven
  std::vector<Variables> variables;
  Choice choice = Choice::weighted;
  bool operator==(const Requests&) const = default;
};

}  // namespace headroom::workload
