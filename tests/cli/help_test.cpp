#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/cli/program.h"

namespace spillway {
namespace {

constexpr const char* kCommands[] = {"profile", "tune",    "lower", "verify", "simulate", "sweep",
                                     "execute", "compare", "show",  "list",   "doctor"};

std::string help_of(const std::string& command) {
  static const TemporaryFolder folder;
  const ProgramResult result = run_spillway(folder.path(), {command, "--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  return result.out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The long flags that a help explains: those at the beginning of a line.
std::set<std::string> flags_in(const std::string& help) {
  std::set<std::string> flags;
  for (const std::string& line : lines_of(help)) {
    std::smatch match;
    if (std::regex_search(line, match, std::regex("^  (-[a-z], )?(--[a-z0-9-]+)"))) flags.insert(match[2]);
  }
  return flags;
}

/// The examples as commands: a line that ends in a backslash goes on in the next.
std::vector<std::string> examples_in(const std::string& help) {
  std::vector<std::string> commands;
  const std::string title = "examples:\n";
  bool goes_on = false;
  for (std::string line : lines_of(help.substr(help.find(title) + title.size()))) {
    const bool ends_open = line.ends_with('\\');
    if (ends_open) line.pop_back();
    if (goes_on) {
      commands.back() += line;
    } else {
      commands.push_back(line);
    }
    goes_on = ends_open;
  }
  return commands;
}

TEST(Help, FitsEightyColumns) {
  std::vector<std::string> topics(std::begin(kCommands), std::end(kCommands));
  topics.push_back("help");
  for (const std::string& topic : topics) {
    const std::string help = topic == "help" ? run_spillway(".", {"help"}).out : help_of(topic);
    EXPECT_TRUE(help.starts_with("usage: spillway ")) << help;
    for (const std::string& line : lines_of(help)) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(Help, IsTheSameByAllItsNames) {
  const std::string general = run_spillway(".", {"help"}).out;
  EXPECT_EQ(run_spillway(".", {"--help"}).out, general);
  EXPECT_EQ(run_spillway(".", {"-h"}).out, general);
  for (const char* command : kCommands) {
    EXPECT_EQ(run_spillway(".", {"help", command}).out, help_of(command));
    EXPECT_EQ(run_spillway(".", {command, "-h"}).out, help_of(command));
    EXPECT_NE(general.find(std::string("\n  ") + command + " "), std::string::npos) << command;
  }
}

TEST(Help, WithoutACommandIsAMistakeThatIsHelped) {
  const ProgramResult result = run_spillway(".", {});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, run_spillway(".", {"help"}).out);
}

TEST(Help, ExplainsExactlyTheFlagsThatACommandTakes) {
  const std::map<std::string, std::vector<std::string>> complete{{"profile", {"nomodel", "-o", "nowhere/x"}},
                                                                 {"tune", {"nowhere", "-o", "nowhere/x"}},
                                                                 {"lower", {"nowhere", "-o", "nowhere/x"}},
                                                                 {"verify", {"nowhere"}},
                                                                 {"simulate", {"nowhere"}},
                                                                 {"sweep", {"nowhere", "--platform", "cpu"}},
                                                                 {"execute", {"nowhere"}},
                                                                 {"compare", {"nowhere", "nowhere"}},
                                                                 {"show", {"nowhere"}},
                                                                 {"list", {"nothing"}},
                                                                 {"doctor", {}}};
  // All flags of any command, and those that the design has and this version hasn't.
  std::set<std::string> all{"--gpus", "--nodes",  "--micro-batches", "--time-limit", "--engine",
                            "--csv",  "--update", "--validate",      "--every",      "--tolerances"};
  for (const char* command : kCommands) all.merge(flags_in(help_of(command)));
  const TemporaryFolder folder;
  for (const char* command : kCommands) {
    const std::set<std::string> explained = flags_in(help_of(command));
    for (const std::string& flag : all) {
      std::vector<std::string> arguments{command};
      arguments.insert(arguments.end(), complete.at(command).begin(), complete.at(command).end());
      arguments.push_back(flag);
      const ProgramResult result = run_spillway(folder.path(), arguments);
      const bool refused = result.err.find("found '" + flag + "', which it doesn't take") != std::string::npos;
      EXPECT_EQ(refused, !explained.contains(flag)) << command << " " << flag << ": " << result.err;
    }
  }
}

TEST(Help, ExamplesRunAsTheyStand) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "bin");
  std::filesystem::create_symlink(SPILLWAY_PROGRAM, folder.path() / "bin/spillway");
  std::filesystem::create_directory(folder.path() / "empty");
  std::vector<std::string> commands = examples_in(run_spillway(".", {"help"}).out);
  for (const char* command : kCommands) {
    const std::vector<std::string> more = examples_in(help_of(command));
    EXPECT_GE(more.size(), 1U) << command;
    commands.insert(commands.end(), more.begin(), more.end());
  }
  for (std::string command : commands) {
    if (const std::size_t mpirun = command.find("mpirun "); mpirun != std::string::npos) {
#ifdef SPILLWAY_MPIEXEC
      command.replace(mpirun, std::string("mpirun").size(), SPILLWAY_MPIEXEC);
#else
      continue;  // built without MPI
#endif
    }
    const std::string in_folder = "cd '" + (folder.path() / "empty").string() + "' && PATH='" +
                                  (folder.path() / "bin").string() + "':\"$PATH\" && " + command + " > ../out 2>&1";
    EXPECT_EQ(std::system(in_folder.c_str()), 0) << command << "\n" << content_of(folder.path() / "out");
  }
}

}  // namespace
}  // namespace spillway
