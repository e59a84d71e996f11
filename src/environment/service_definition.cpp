// The keys of a service, apart from its scaling, capacity and traffic.
#include <fmt/format.h>

#include "base/units.hpp"
#include "environment/records.hpp"

namespace headroom::environment {
namespace {

using base::Milliseconds;
using Pairs = std::vector<std::pair<std::string, std::string>>;

const Record<Billing>& billing_record() {
  static const Record<Billing> record = [] {
    Record<Billing> r;
    r.info = {"billing", "How the time of an instance is charged.", {}};
    r.key("model", &Billing::model,
          choice<BillingModel>({{"per-second", BillingModel::per_second}, {"hourly", BillingModel::hourly}}),
          {"per-second, or every hour begun", "per-second", "hourly"})
        .key("minimum", &Billing::minimum, duration(), {"charged at least, per start", "0s", "60s"})
        .key("from", &Billing::from_in_service, choice<bool>({{"launch", false}, {"in-service", true}}),
             {"where the time that is charged begins: when it is launched, or when it enters service",
              "launch", "in-service"});
    return r;
  }();
  return record;
}

Kind<Billing> billing() {
  return either(
      converted<Billing>(
          choice<BillingModel>({{"per-second", BillingModel::per_second}, {"hourly", BillingModel::hourly}}),
          [](Reader&, const Node&, BillingModel model) { return std::optional(Billing{.model = model}); }),
      record_kind("billing", &billing_record));
}

struct RawCredits {
  Credits credits;
  std::optional<Milliseconds> most;
};

const Record<RawCredits>& credits_record() {
  static const Record<RawCredits> record = [] {
    using R = RawCredits;
    Record<R> r;
    r.info = {
        "credits",
        "CPU credits of a burstable type: credit is processor time, earned at the baseline rate and spent "
        "by what is used; without credit an instance runs at its baseline.",
        {}};
    r.key("baseline", [](R& c) -> base::Cores& { return c.credits.baseline; }, cores(),
          {"cores it always has", "", "0.165", true})
        .key("initial", [](R& c) -> Milliseconds& { return c.credits.initial; }, duration(),
             {"processor time that an instance starts with", "0s", "3s"})
        .key("most", &R::most, duration(),
             {"processor time that it can save up (`initial` where not written)", "", "3s"})
        .key("metric", [](R& c) -> bool& { return c.credits.of_baseline; },
             choice<bool>({{"allowed", false}, {"baseline", true}}),
             {"the metric cpu is what is used of the cores it may use at the moment, or of the baseline (100 "
              "% at "
              "most)",
              "allowed", "baseline"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      raw.credits.most = raw.most.value_or(raw.credits.initial);
      if (raw.credits.most < raw.credits.initial) {
        reader.fault(*node.find("most"),
                     fmt::format("most ({}) is below initial ({})", base::format_duration(raw.credits.most),
                                 base::format_duration(raw.credits.initial)),
                     "an instance starts with at most as much as it can save up");
      }
    };
    return r;
  }();
  return record;
}

Kind<Credits> credits() {
  return converted<Credits>(record_kind("credits", &credits_record),
                            [](Reader&, const Node&, RawCredits raw) { return std::optional(raw.credits); });
}

const Record<Instance>& instance_record() {
  static const Record<Instance> record = [] {
    using I = Instance;
    Record<I> r;
    r.info = {"instance", "One running copy of the service.", {}};
    r.key("cpu", &I::cpu, cores(), {"processor cores it may use (cloud: local)", "", "0.2"})
        .key("type", &I::type, text("type"), {"instance type of the cloud", "", "t3.micro"})
        .key("memory", &I::memory_bytes, bytes(), {"memory it may use", "", "256MiB"})
        .key("price", &I::price, price(), {"what it costs", "0 USD/h", "0.0104 USD/h"})
        .key("billing", &I::billing, billing(),
             {"how its time is charged", "per-second", "{model: per-second, minimum: 60s}"})
        .key("credits", &I::credits, credits(),
             {"CPU credits, of burstable types; `cpu` are then the cores while it has credit (1 where not "
              "written)",
              "", "{baseline: 0.165, initial: 3s}"});
    r.check = [](Reader& reader, const Node& node, I& instance) {
      if (!instance.credits) return;
      const double cpu = instance.cpu.value_or(base::Cores(1)).value();
      if (instance.credits->baseline.value() < cpu) {
        if (instance.credits->most > Milliseconds{0}) return;
        const Node& credits = *node.find("credits");
        const Node* at = credits.find("most");
        if (at == nullptr) at = credits.find("initial");
        reader.fault(at != nullptr ? *at : credits,
                     "credits of 0s: such an instance never runs above its baseline",
                     "write most: 3s, say, or the baseline as the cpu of the instance");
        return;
      }
      reader.fault(*node.find("credits")->find("baseline"),
                   fmt::format("the baseline ({} cores) is not below the cpu of the instance ({}{})",
                               base::format_number(instance.credits->baseline.value()),
                               base::format_number(cpu), instance.cpu ? "" : ", where none is written"),
                   "write a lower baseline, or the cores that it may use with credit as cpu");
    };
    return r;
  }();
  return record;
}

struct RawHealth {
  Health health;
  std::optional<int> replace_after;
};

const Record<RawHealth>& health_record() {
  static const Record<RawHealth> record = [] {
    using R = RawHealth;
    Record<R> r;
    r.info = {"health", "How it is found out whether an instance works.", {}};
    r.key("path", [](R& h) -> std::string& { return h.health.path; }, text("path"),
          {"answered with 2xx or 3xx by a healthy instance", "/", "/health"})
        .key("interval", [](R& h) -> Milliseconds& { return h.health.interval; }, duration(Milliseconds{100}),
             {"between two checks", "5s", "5s"})
        .key("unhealthy_after", [](R& h) -> int& { return h.health.unhealthy_after; }, count(1, 1000),
             {"failed checks in a row until it gets no more requests", "3", "3"})
        .key("healthy_after", [](R& h) -> int& { return h.health.healthy_after; }, count(1, 1000),
             {"good checks in a row until it gets requests again", "2", "2"})
        .key("replace_after", &R::replace_after, count(1, 1000),
             {"failed checks in a row until it is taken out for good, kept as failed for a look at it, and "
              "replaced (`unhealthy_after` where not written)",
              "", "5"})
        .key("grace", [](R& h) -> Milliseconds& { return h.health.grace; }, duration(),
             {"failed checks do not count for so long after it entered service", "0s", "1m"});
    r.check = [](Reader& reader, const Node& node, R& raw) {
      Health& health = raw.health;
      health.replace_after = raw.replace_after.value_or(health.unhealthy_after);
      if (health.replace_after < health.unhealthy_after) {
        reader.fault(*node.find("replace_after"),
                     fmt::format("replace_after ({}) is below unhealthy_after ({})", health.replace_after,
                                 health.unhealthy_after),
                     "an instance gets no more requests before it is replaced: write at least as many");
      }
      if (!health.path.starts_with('/')) {
        reader.fault(*node.find("path"), fmt::format("expected a path that starts with /, found {}",
                                                     base::in_quotes(health.path)));
      }
    };
    return r;
  }();
  return record;
}

Kind<Health> health() {
  return converted<Health>(record_kind("health", &health_record), [](Reader&, const Node&, RawHealth raw) {
    return std::optional(std::move(raw.health));
  });
}

const Record<Listen>& listen_record() {
  static const Record<Listen> record = [] {
    using L = Listen;
    Record<L> r;
    r.info = {"listen", "Where the balancer listens.", {}};
    r.key("port", &L::port, count(1, 65'535), {"port", "", "8080", true})
        .key("address", &L::address, text("address"), {"address", "127.0.0.1", "0.0.0.0"})
        .key("certificate", &L::certificate, file_name(),
             {"certificate and key (PEM) for HTTPS", "", "site.pem"});
    return r;
  }();
  return record;
}

Kind<Listen> listen() {
  return either(converted<Listen>(count(1, 65'535),
                                  [](Reader&, const Node&, int port) {
                                    Listen listen;
                                    listen.port = port;
                                    return std::optional(listen);
                                  }),
                record_kind("listen", &listen_record));
}

const Record<Profit>& profit_record() {
  static const Record<Profit> record = [] {
    using P = Profit;
    Record<P> r;
    r.info = {"profit", "What the service earns, where that is the objective.", {}};
    r.key("revenue", &P::revenue_per_request, money(), {"per request served", "", "0.0009 USD", true})
        .key("downtime_penalty", &P::downtime_penalty, money(),
             {"per minute of downtime", "0 USD", "200 USD"})
        .key("downtime_below", &P::downtime_below, ratio(0, 1),
             {"a minute with a lower share served is downtime", "0.995", "99.5%"});
    return r;
  }();
  return record;
}

const Record<Objective>& objective_record() {
  static const Record<Objective> record = [] {
    using O = Objective;
    Record<O> r;
    r.info = {"objective", "What the service promises; each limit written must hold.", {}};
    r.key("cpu", &O::cpu, percent(0.001, 1000), {"utilisation stays below", "", "50%"})
        .key("p50", &O::p50, duration(Milliseconds{1}), {"median latency stays below", "", "100ms"})
        .key("p95", &O::p95, duration(Milliseconds{1}),
             {"95th percentile of latency stays below", "", "500ms"})
        .key("p99", &O::p99, duration(Milliseconds{1}),
             {"99th percentile of latency stays below", "", "900ms"})
        .key("availability", &O::availability, percent(0, 100),
             {"share of requests served stays above", "", "99.9%"})
        .key("for", &O::share, share_of_minutes(),
             {"in at least so many minutes", "100% of minutes", "99.9% of minutes"})
        .key("profit", &O::profit, record_kind("profit", &profit_record),
             {"revenue and penalties", "", "{revenue: 0.0009 USD, downtime_penalty: 200 USD}"});
    r.check = [](Reader& reader, const Node& node, O& o) {
      if ((o.p50 && o.p95 && *o.p50 > *o.p95) || (o.p95 && o.p99 && *o.p95 > *o.p99) ||
          (o.p50 && o.p99 && *o.p50 > *o.p99)) {
        reader.fault(node, "expected p50 <= p95 <= p99 in an objective",
                     "a higher percentile cannot have the lower limit");
      }
      if (!o.cpu && !o.p50 && !o.p95 && !o.p99 && !o.availability && !o.profit) {
        reader.fault(node, "an objective without a limit promises nothing", "add one, such as cpu: 50%");
      }
    };
    return r;
  }();
  return record;
}

// References to secrets. A message never shows what stands here: it may be the secret itself.
Kind<Pairs> secrets() {
  Kind<std::string> reference = text("reference (`file:` or `ssm:`)", "a reference such as file:./db.secret");
  reference.description.shape = Description::Shape::pattern;
  reference.description.pattern = "^(file|ssm):.+$";
  reference.read = [](Reader& reader, const Node& node) -> std::optional<std::string> {
    const bool file = node.text.starts_with("file:") && node.text.size() > 5;
    const bool ssm = node.text.starts_with("ssm:") && node.text.size() > 4;
    if (node.kind == Node::Kind::scalar && (file || ssm)) return node.text;
    reader.fault(node, "expected a reference to a secret; what stands here is not shown",
                 "write file:PATH or ssm:NAME, and keep the secret itself out of this file");
    return std::nullopt;
  };
  return map_of("variable", reference, true);
}

const Record<Service>& service_record() {
  static const Record<Service> record = [] {
    using S = Service;
    Record<S> r;
    r.info = {"service", "What the user runs.", {}};
    r.key("source", &S::source, file_name("folder"), {"the folder that is deployed", "", "./app"})
        .key("build", &S::build, text("command"),
             {"run once per version, when its image is baked", "", "pip install -r requirements.txt"})
        .key("run", &S::run, text("command"),
             {"runs one instance; it listens on $HOST:$PORT", "",
              "gunicorn --bind $HOST:$PORT app:application"})
        .key("env", &S::env, map_of("variable", text(), true),
             {"environment variables", "{}", "{GREETING: hello}"})
        .key("secrets", &S::secrets, secrets(),
             {"environment variables whose values are kept elsewhere; never printed, never stored", "{}",
              "{DB_PASSWORD: file:./db.secret}"})
        .key("depends_on", &S::depends_on, list_of(text("service", "the name of a service")),
             {"services that must work first", "[]", "[db]"})
        .key("job", &S::job, flag(),
             {"it runs to its end, once per version, before services that depend on it", "false", "true"})
        .key("volume", &S::volume, flag(),
             {"each instance keeps a folder, $VOLUME, from start to start and from version to version",
              "false", "true"})
        .key("listen", &S::listen, listen(),
             {"the balancer's port; without it the service is not published", "", "8080"})
        .key("instance", &S::instance, record_kind("instance", &instance_record),
             {"size and price of an instance", "", "{cpu: 0.2, memory: 256MiB, price: 0.0104 USD/h}"})
        .key("health", &S::health, health(), {"health checks", "", "{path: /health}"})
        .key("capacity", &S::capacity, capacity_kind(),
             {"what one instance can take: a file, or its keys", "", "capacity.yaml"})
        .key("scale", &S::scale, scale_kind(),
             {"limits and policies", "", "{min: 2, max: 20, policies: [{target: {value: 50%}}]}"})
        .key("objective", &S::objective, record_kind("objective", &objective_record),
             {"what the service promises", "", "{cpu: 50%, for: 99.9% of minutes}"})
        .key("traffic", &S::traffic, traffic_kind(),
             {"its traffic, where it is not the environment's", "", "spike.yaml"});
    r.check = [](Reader& reader, const Node& node, S& service) {
      for (const auto& [name, reference] : service.secrets) {
        for (const auto& [other, value] : service.env) {
          if (name == other)
            reader.fault(*node.find("secrets"),
                         fmt::format("{} stands in env and in secrets", base::in_quotes(name)),
                         "keep one of them");
        }
      }
      if (service.job && node.find("listen") != nullptr) {
        reader.fault(*node.find("listen"), "a job runs to its end and listens nowhere",
                     "leave out listen, or job: true");
      }
      if (service.scale.hold_to_paid_hour && service.instance.billing.model != BillingModel::hourly) {
        reader.fault(*node.find("scale")->find("in_at"),
                     "there is no paid hour to wait for: the service is billed per second",
                     "write in_at: now, or billing: hourly for the instance");
      }
    };
    return r;
  }();
  return record;
}

}  // namespace

Kind<Service> service_kind() { return record_kind("service", &service_record); }

}  // namespace headroom::environment
