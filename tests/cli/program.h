#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"

// The real `spillway` program, run as a user would run it.

namespace spillway {

struct ProgramResult {
  int exit_code = 0;  ///< or minus the signal that ended it
  std::string out, err;
  Bytes largest_resident;  ///< the most memory that it ever had resident
};

/// What the program runs in, beside its folder.
struct Surroundings {
  std::optional<Bytes> largest_file;  ///< as `ulimit -f` sets it: writing more fails
  bool full_stdout = false;           ///< standard output goes to a full disk
};

/// A program that is running; its output goes to files in the temporary folder of the system.
class Program {
 public:
  /// Starts `spillway ARGUMENTS` in `folder`.
  Program(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
          const Surroundings& surroundings = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  void interrupt() const;
  [[nodiscard]] std::string out_so_far() const;
  [[nodiscard]] bool running();
  ProgramResult wait();

 private:
  std::filesystem::path out_, err_;
  pid_t process_ = -1;
  std::optional<ProgramResult> result_;
  void collect(int options);
};

[[nodiscard]] ProgramResult run_spillway(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
                                         const Surroundings& surroundings = {});

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::string content_of(const std::filesystem::path& file);
void write_content(const std::filesystem::path& file, const std::string& content);

}  // namespace spillway
