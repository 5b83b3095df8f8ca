#include "tests/cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace spillway {
namespace fs = std::filesystem;

namespace {

fs::path new_file() {
  std::string name = (fs::temp_directory_path() / "spillway-output-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0) throw std::runtime_error("no temporary file");
  ::close(file);
  return name;
}

/// In the child: only calls that are safe after fork.
[[noreturn]] void become(const char* folder, char* const* arguments, const char* out, const char* err,
                         const Surroundings& surroundings) {
  const int out_file = ::open(surroundings.full_stdout ? "/dev/full" : out, O_WRONLY | O_TRUNC);
  const int err_file = ::open(err, O_WRONLY | O_TRUNC);
  if (::chdir(folder) != 0 || ::dup2(out_file, STDOUT_FILENO) < 0 || ::dup2(err_file, STDERR_FILENO) < 0) ::_exit(126);
  if (surroundings.largest_file) {
    const auto size = static_cast<rlim_t>(surroundings.largest_file->value);
    const rlimit limit{.rlim_cur = size, .rlim_max = size};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(126);
  }
  ::execv(SPILLWAY_PROGRAM, arguments);
  ::_exit(127);
}

}  // namespace

Program::Program(const fs::path& folder, const std::vector<std::string>& arguments, const Surroundings& surroundings)
    : out_(new_file()), err_(new_file()) {
  std::vector<std::string> words{"spillway"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  process_ = ::fork();
  if (process_ < 0) throw std::runtime_error("can't fork");
  if (process_ == 0) become(folder.c_str(), pointers.data(), out_.c_str(), err_.c_str(), surroundings);
}

Program::~Program() {
  if (!result_) {
    ::kill(process_, SIGKILL);
    collect(0);
  }
  fs::remove(out_);
  fs::remove(err_);
}

void Program::interrupt() const {
  ::kill(process_, SIGINT);
}

std::string Program::out_so_far() const {
  return content_of(out_);
}

void Program::collect(int options) {
  int status = 0;
  rusage usage{};
  if (::wait4(process_, &status, options, &usage) != process_) return;
  constexpr std::int64_t kKiB = 1024;  // Linux counts ru_maxrss in KiB
  result_ = ProgramResult{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
                          .out = content_of(out_),
                          .err = content_of(err_),
                          .largest_resident = {usage.ru_maxrss * kKiB}};
}

bool Program::running() {
  if (!result_) collect(WNOHANG);
  return !result_;
}

ProgramResult Program::wait() {
  if (!result_) collect(0);
  return *result_;
}

ProgramResult run_spillway(const fs::path& folder, const std::vector<std::string>& arguments,
                           const Surroundings& surroundings) {
  return Program(folder, arguments, surroundings).wait();
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "spillway-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::string content_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

void write_content(const fs::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

}  // namespace spillway
