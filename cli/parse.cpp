#include "cli/parse.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <functional>
#include <map>

#include "cli/commands.h"
#include "cli/help.h"
#include "core/version.h"

namespace spillway {
namespace {

/// In place of CLI::PositiveNumber, whose complaint prints its upper bound in 309 digits.
const CLI::Validator& above_zero() {
  static const CLI::Validator validator(
      [](const std::string& text) {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool good = error == std::errc() && end == text.data() + text.size() && value > 0;
        return good ? std::string() : fmt::format("found '{}', expected a whole number above 0", text);
      },
      "", "above zero");
  return validator;
}

/// A command: how its flags fill its options, and how it is run.
class Commands {
 public:
  Commands() {
    add_profile();
    add_tune();
    add_lower_and_verify();
    add_simulate();
    add_sweep();
    add_execute();
    add_rest();
  }

  ExitCode run(int argc, const char* const* argv) {
    const std::string name = argc > 1 ? argv[1] : "";
    if (name.empty() || name == "-h" || name == "--help" || name == "help") {
      const std::string topic = name == "help" && argc > 2 ? argv[2] : "";
      fmt::print("{}", topic.empty() ? general_help() : command_help(known(topic)));
      return name.empty() ? ExitCode::input : ExitCode::yes;
    }
    if (name == "--version") {
      fmt::print("spillway {}\n", kVersion);
      return ExitCode::yes;
    }
    known(name);
    std::vector<std::string> arguments;
    command_line_ = "spillway";
    for (int i = 1; i < argc; ++i) command_line_ += fmt::format(" {}", argv[i]);
    for (int i = argc - 1; i > 1; --i) arguments.emplace_back(argv[i]);  // CLI11 takes them from the back
    CLI::App& app = *apps_.at(name);
    for (const std::string& argument : arguments) {
      if (argument == "-h" || argument == "--help") {
        fmt::print("{}", command_help(name));
        return ExitCode::yes;
      }
    }
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError& error) {
      complain(name, app, error);
    }
    const std::vector<std::string> rest = app.remaining();
    if (!rest.empty()) refuse_extra(name, app, rest.front());
    return runs_.at(name)();
  }

 private:
  const std::string& known(const std::string& name) const {
    const auto found = apps_.find(name);
    if (found != apps_.end()) return found->first;
    std::vector<std::string> names;
    for (const auto& [key, app] : apps_) names.push_back(key);
    const std::string near = nearest_name(name, names);
    throw input_error(fmt::format("found the command '{}', expected one of {}{}", name, fmt::join(names, ", "),
                                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }

  static std::vector<std::string> flags_of(const CLI::App& app) {
    std::vector<std::string> flags;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
    return flags;
  }

  [[noreturn]] static void refuse_extra(const std::string& command, const CLI::App& app, const std::string& found) {
    const std::string near =
        found.starts_with("-") ? nearest_name(found.substr(0, found.find('=')), flags_of(app)) : "";
    throw input_error(fmt::format(
        "{}: found '{}', which it doesn't take{}", command, found,
        near.empty() ? fmt::format("; see 'spillway {} --help'", command) : fmt::format("; did you mean '{}'?", near)));
  }

  [[noreturn]] static void complain(const std::string& command, const CLI::App& app, const CLI::ParseError& error) {
    static_cast<void>(app);
    std::string text = error.what();
    for (char& c : text) c = c == '\n' ? ' ' : c;
    throw input_error(fmt::format("{}: {}; see 'spillway {} --help'", command, text, command));
  }

  CLI::App& add(const std::string& name, std::function<ExitCode()> run) {
    auto app = std::make_unique<CLI::App>();
    app->set_help_flag();  // ours is hand-written
    app->allow_extras();
    runs_[name] = std::move(run);
    return *(apps_[name] = std::move(app));
  }

  template <class T>
  static CLI::Option* optional(CLI::App& app, const std::string& flag, std::optional<T>& value) {
    return app.add_option(flag, value)->type_size(1)->expected(1);
  }

  static CLI::Option* repeated(CLI::App& app, const std::string& flag, std::vector<std::string>& list) {
    return app.add_option(flag, list)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  static void add_machine(CLI::App& app, PlatformOptions& machine) {
    optional(app, "--platform", machine.platform);
    optional(app, "--gpu", machine.gpu);
    repeated(app, "--set", machine.set);
    optional(app, "--gpus", machine.gpus)->check(above_zero());
    optional(app, "--nodes", machine.nodes)->check(above_zero());
  }

  void add_profile() {
    CLI::App& app = add("profile", [this] { return run_profile(profile_, command_line_); });
    app.add_option("MODEL", profile_.model);
    app.add_flag("--machine", profile_.machine);
    repeated(app, "--set", profile_.set);
    optional(app, "--batch", profile_.batch);
    optional(app, "--optimizer", profile_.optimizer);
    optional(app, "--layout", profile_.layout);
    app.add_option("--device", profile_.device);
    app.add_flag("--tf32", profile_.tf32);
    app.add_option("-o,--output", profile_.output)->required();
  }

  void add_tune() {
    CLI::App& app = add("tune", [this] { return run_tune(tune_); });
    app.add_option("TRACE", tune_.trace)->required();
    add_machine(app, tune_.machine);
    optional(app, "--capacity", tune_.capacity);
    optional(app, "--host-capacity", tune_.host_capacity);
    optional(app, "--batch", tune_.batch);
    app.add_option("--micro-batches", tune_.micro_batches);
    app.add_option("--policy", tune_.policy);
    repeated(app, "--keep", tune_.keep);
    repeated(app, "--swap", tune_.swap);
    repeated(app, "--recompute", tune_.recompute);
    app.add_option("--evaluations", tune_.evaluations)->check(above_zero());
    app.add_flag("--json", tune_.json);
    app.add_option("-o,--output", tune_.output)->required();
  }

  void add_lower_and_verify() {
    CLI::App& lower = add("lower", [this] { return run_lower(lower_); });
    lower.add_option("PLAN", lower_.plan)->required();
    lower.add_option("-o,--output", lower_.output)->required();
    CLI::App& verify = add("verify", [this] { return run_verify(verify_); });
    verify.add_option("SCHEDULE", verify_.schedule)->required();
  }

  void add_simulate() {
    CLI::App& app = add("simulate", [this] { return run_simulate(simulate_); });
    app.add_option("FILE", simulate_.file)->required();
    add_machine(app, simulate_.machine);
    app.add_option("--engine", simulate_.engine);
    optional(app, "--timeline", simulate_.timeline);
    app.add_flag("--json", simulate_.json);
  }

  void add_sweep() {
    CLI::App& app = add("sweep", [this] { return run_sweep(sweep_); });
    app.add_option("TRACE", sweep_.trace)->required();
    repeated(app, "--platform", sweep_.platforms)->required();
    optional(app, "--gpu", sweep_.gpu);
    repeated(app, "--gpus", sweep_.gpus);
    repeated(app, "--nodes", sweep_.nodes);
    repeated(app, "--set", sweep_.set);
    repeated(app, "--capacity", sweep_.capacities);
    repeated(app, "--batch", sweep_.batches);
    repeated(app, "--policy", sweep_.policies);
    app.add_option("--evaluations", sweep_.evaluations)->check(above_zero());
    app.add_option("--jobs", sweep_.jobs)->check(above_zero());
    optional(app, "--points", sweep_.points);
    optional(app, "--csv", sweep_.csv);
    optional(app, "--plot", sweep_.plot);
    app.add_flag("--json", sweep_.json);
  }

  void add_execute() {
    CLI::App& app = add("execute", [this] { return run_execute(execute_); });
    app.add_option("FILE", execute_.file)->required();
    optional(app, "--device", execute_.device);
    app.add_option("--steps", execute_.steps)->check(above_zero());
    optional(app, "--data", execute_.data);
    optional(app, "--weights", execute_.weights);
    optional(app, "--save", execute_.save);
    optional(app, "--checkpoint", execute_.checkpoint);
    app.add_option("--checkpoint-every", execute_.checkpoint_every)->check(above_zero());
    app.add_flag("--resume", execute_.resume);
    optional(app, "--learning-rate", execute_.learning_rate);
    app.add_option("--seed", execute_.seed);
    optional(app, "--timeline", execute_.timeline);
    app.add_flag("--json", execute_.json);
  }

  void add_rest() {
    CLI::App& compare = add("compare", [this] { return run_compare(compare_); });
    compare.add_option("FIRST", compare_.first)->required();
    compare.add_option("SECOND", compare_.second)->required();
    optional(compare, "--tolerance", compare_.tolerance);
    compare.add_flag("--json", compare_.json);
    add("show", [this] { return run_show(show_); }).add_option("FILE", show_.file)->required();
    add("list", [this] { return run_list(list_); }).add_option("WHAT", list_.what)->required();
    add("doctor", [] { return run_doctor(); });
  }

  std::map<std::string, std::unique_ptr<CLI::App>> apps_;
  std::map<std::string, std::function<ExitCode()>> runs_;
  std::string command_line_;
  ProfileOptions profile_;
  TuneOptions tune_;
  LowerOptions lower_;
  VerifyOptions verify_;
  SimulateOptions simulate_;
  SweepOptions sweep_;
  ExecuteOptions execute_;
  CompareOptions compare_;
  ShowOptions show_;
  ListOptions list_;
};

}  // namespace

ExitCode parse_and_run(int argc, const char* const* argv) {
  return Commands().run(argc, argv);
}

}  // namespace spillway
