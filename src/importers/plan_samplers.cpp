#include "importers/plan_samplers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/units.hpp"
#include "importers/plan_elements.hpp"
#include "importers/plan_text.hpp"
#include "workload/placeholders.hpp"

namespace headroom::importers {
namespace {

using workload::Request;

// What no plan that people write comes near to; it keeps the cost of a hostile one low.
constexpr std::size_t kHeadersMost = 100;
constexpr std::size_t kRequestsMost = 10'000;
constexpr std::size_t kRequestsBytes = std::size_t{16} << 20;

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

}  // namespace

Turn PlanSamplers::turn_of(const Element& sampler, const Scope& outer) {
  // What stands below a sampler is for it alone.
  const Scope scope = extended(outer, sampler.children, report_);
  for (const Element& child : sampler.children) {
    if (report_.is_enabled(child) && !is_of_scope(child)) report_.leave_out(child);
  }
  Request request;
  request.name = without_controls(sampler.name);
  request.method = setting(sampler, scope, "HTTPSampler.method");
  if (request.method.empty()) request.method = "GET";
  const auto is_upper = [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; };
  if (!std::all_of(request.method.begin(), request.method.end(), is_upper) || request.method == "CONNECT") {
    report_.fault(
        PlanValues::line_of(sampler, "HTTPSampler.method"),
        fmt::format("expected a method such as GET or POST, found {}", base::in_quotes(request.method)));
  }
  set_path(request, sampler, scope);
  set_headers(request, sampler, scope);
  set_arguments(request, sampler, scope);
  note_settings(sampler, scope);
  Turn turn;
  turn.request = number_of(std::move(request), sampler);
  turn.pause = pause_of(scope.timers, values_, report_);
  return turn;
}

void PlanSamplers::set_path(Request& request, const Element& sampler, const Scope& scope) {
  std::string path = setting(sampler, scope, "HTTPSampler.path");
  std::string address;
  if (const std::size_t scheme = path.find("://");
      scheme != std::string::npos && (path.starts_with("http:") || path.starts_with("https:"))) {
    const std::size_t end = std::min(path.find_first_of("/?#", scheme + 3), path.size());
    address = path.substr(0, end);
    path.erase(0, end);
  } else if (const std::string host = setting(sampler, scope, "HTTPSampler.domain"); !host.empty()) {
    const std::string protocol = setting(sampler, scope, "HTTPSampler.protocol");
    const std::string port = setting(sampler, scope, "HTTPSampler.port");
    address = (protocol.empty() ? "http" : protocol) + "://" + host + (port.empty() ? "" : ":" + port);
  }
  if (!address.empty()) addresses_.emplace(address, &sampler);
  path.resize(std::min(path.find('#'), path.size()));
  if (!path.starts_with('/')) path.insert(0, "/");
  request.path = percent_encoded(path, [](char c) { return c > 0x20 && c < 0x7F; });
}

void PlanSamplers::set_headers(Request& request, const Element& sampler, const Scope& scope) {
  std::set<std::string> set_by_inner;
  for (auto manager = scope.headers.rbegin(); manager != scope.headers.rend(); ++manager) {
    const Property* list = (*manager)->properties.find("HeaderManager.headers");
    if (list == nullptr) continue;
    if (list->items.size() > kHeadersMost) {
      report_.fault((*manager)->line, fmt::format("more than {} headers", kHeadersMost));
      return;
    }
    std::set<std::string> set_here;
    for (const Property& item : list->items) {
      const Property* name = item.find("Header.name");
      const Property* text = item.find("Header.value");
      if (name == nullptr || trimmed(name->text).empty()) continue;
      workload::Header header;
      header.name = std::string(trimmed(values_.substituted(name->text, **manager)));
      header.value = without_controls(values_.substituted(
          text == nullptr ? std::string_view() : std::string_view(text->text), **manager));
      const std::string key = lower(header.name);
      if (set_by_inner.contains(key)) continue;
      if (key == "content-length" || key == "transfer-encoding" || !is_header_name(header.name)) {
        report_.note_once(NoteKind::left_out, **manager,
                          fmt::format("the header {} is not sent as written", base::in_quotes(header.name)));
        continue;
      }
      // A file has each name once.
      if (!set_here.insert(key).second) {
        report_.note_once(
            NoteKind::left_out, **manager,
            fmt::format("the header {} stands there a second time", base::in_quotes(header.name)));
        continue;
      }
      request.headers.push_back(std::move(header));
    }
    set_by_inner.merge(set_here);
  }
  if (setting(sampler, scope, "HTTPSampler.use_keepalive") == "false") {
    report_.note_once(NoteKind::left_out, sampler,
                      "connections are kept between requests, which the plan forbids");
  }
}

void PlanSamplers::set_arguments(Request& request, const Element& sampler, const Scope& scope) {
  const bool is_raw = setting(sampler, scope, "HTTPSampler.postBodyRaw") == "true";
  std::string raw;
  std::string form;
  std::vector<const Element*> sources{&sampler};
  sources.insert(sources.end(), scope.defaults.rbegin(), scope.defaults.rend());
  for (const Element* source : sources) {
    const Property* arguments = source->properties.find("HTTPsampler.Arguments");
    const Property* list = arguments == nullptr ? nullptr : arguments->find("Arguments.arguments");
    if (list == nullptr) continue;
    for (const Property& item : list->items) {
      const auto text = [&](std::string_view property) {
        const Property* found = item.find(property);
        return found == nullptr ? std::string() : values_.substituted(found->text, *source);
      };
      const std::string name = text("Argument.name");
      const std::string value_text = text("Argument.value");
      raw += value_text;
      if (name.empty()) continue;
      const bool encode = text("HTTPArgument.always_encode") == "true";
      const bool equals = text("HTTPArgument.use_equals") != "false" || !value_text.empty();
      form += (form.empty() ? "" : "&") + form_encoded(name) + (equals ? "=" : "") +
              (encode ? form_encoded(value_text) : value_text);
    }
    if (is_raw && !list->items.empty()) break;
  }
  const bool has_body = is_any(request.method, {"POST", "PUT", "PATCH"});
  if (is_raw) {
    request.body = std::move(raw);
  } else if (has_body) {
    request.body = std::move(form);
  } else if (!form.empty()) {
    request.path += (contains(request.path, "?") ? "&" : "?") +
                    percent_encoded(form, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
  }
  const bool has_type =
      std::any_of(request.headers.begin(), request.headers.end(),
                  [](const workload::Header& header) { return lower(header.name) == "content-type"; });
  // As JMeter does where nothing else is said.
  if (has_body && !request.body.empty() && !has_type)
    request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
}

void PlanSamplers::note_settings(const Element& sampler, const Scope& scope) {
  if (setting(sampler, scope, "HTTPSampler.DO_MULTIPART_POST") == "true")
    report_.note(NoteKind::changed, sampler, "its form is sent as one text, not in several parts");
  if (const Property* files = sampler.properties.find("HTTPsampler.Files")) {
    const Property* list = files->find("HTTPFileArgs.files");
    if (list != nullptr && !list->items.empty())
      report_.note(NoteKind::left_out, sampler, "files are not uploaded");
  }
  if (setting(sampler, scope, "HTTPSampler.image_parser") == "true")
    report_.note_once(NoteKind::left_out, sampler, "what a page embeds is not fetched");
  if (const std::string timeout = setting(sampler, scope, "HTTPSampler.response_timeout"); !timeout.empty())
    report_.note_once(NoteKind::told, sampler,
                      fmt::format("the plan waits {} ms for an answer: `headroom load --timeout`", timeout));
}

// The same request of several groups is one, whatever it is called there.
std::size_t PlanSamplers::number_of(Request request, const Element& sampler) {
  std::string key = request.method + '\n' + request.path + '\n';
  for (const workload::Header& header : request.headers) key += header.name + ':' + header.value + '\n';
  key += '\n' + request.body;
  const std::size_t bytes = key.size();
  const auto [found, is_new] = numbers_.emplace(std::move(key), requests_.size());
  if (is_new) {
    requests_bytes_ += bytes;
    if (requests_.size() == kRequestsMost || requests_bytes_ > kRequestsBytes) {
      report_.fault(sampler.line, fmt::format("the plan asks more than {} different requests, or {} bytes",
                                              kRequestsMost, kRequestsBytes));
    }
    check_names(request, sampler);
    requests_.push_back(std::move(request));
  }
  return found->second;
}

void PlanSamplers::check_names(const Request& request, const Element& sampler) {
  const auto check = [&](std::string_view text) {
    for (const workload::TextPart& part : workload::parts_of(text)) {
      if (!part.is_name || values_.may_be_of_data(part.text)) continue;
      report_.note_once(
          NoteKind::left_out, sampler,
          fmt::format("nothing gives ${{{}}} a value: add a CSV with that heading to variables", part.text));
    }
  };
  check(request.path);
  check(request.body);
  for (const workload::Header& header : request.headers) check(header.value);
}

void PlanSamplers::note_addresses() const {
  for (const auto& [address, sampler] : addresses_) {
    report_.note(NoteKind::told, *sampler,
                 fmt::format("the address {} is not part of a traffic file: `headroom load --url`", address));
  }
  if (addresses_.size() > 1) {
    report_.note(NoteKind::changed,
                 "the plan asks several addresses; all requests go to the one that is given");
  }
}

}  // namespace headroom::importers
