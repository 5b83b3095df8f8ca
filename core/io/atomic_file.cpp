#include "core/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, int reason) {
  throw machine_error(path + ": can't be written: " + std::generic_category().message(reason));
}

/// An open file descriptor that writes; errors name `path`, which is what the user asked for.
class Descriptor : public FileWriter {
 public:
  Descriptor(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  void write(std::span<const std::byte> bytes) override {
    constexpr std::size_t kLargest = std::size_t{1} << 30;  // Linux moves at most 2 GiB less a page in one call
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kLargest));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) refuse(path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void sync() {
    // EINVAL: pipes, terminals and some file systems' directories can't be synced, and have nothing to lose.
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) refuse(path_, errno);
  }

  void close() {
    // A network file system may tell only now that the disk is full.
    if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) refuse(path_, errno);
  }

  [[nodiscard]] int number() const { return descriptor_; }

 private:
  int descriptor_;
  std::string path_;
};

/// Removes its file unless it was renamed.
class Temporary {
 public:
  explicit Temporary(std::string name) : name_(std::move(name)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }
  void rename_to(const fs::path& target, const std::string& path) {
    if (::rename(name_.c_str(), target.c_str()) != 0) refuse(path, errno);
    name_.clear();
  }

 private:
  std::string name_;
};

/// What `path` names in the end: links followed, also one that leads to nothing yet.
fs::path followed(fs::path path) {
  std::error_code error;
  for (int links = 0; links < 40 && fs::is_symlink(fs::symlink_status(path, error)); ++links) {
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return path;
}

std::pair<int, std::string> open_temporary(const fs::path& target, const std::string& path) {
  const std::string prefix =
      (target.parent_path() / ("." + target.filename().string() + "." + std::to_string(::getpid()) + ".")).string();
  // A name can be taken by another thread, or be left from a process that was killed and had our number.
  for (int i = 0;; ++i) {
    std::string name = prefix + std::to_string(i) + ".tmp";
    const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) return {descriptor, std::move(name)};
    if (errno != EEXIST) refuse(path, errno);
  }
}

void write_directly(const fs::path& target, const std::string& path, const std::function<void(FileWriter&)>& content) {
  const int descriptor = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(path, errno);
  Descriptor file(descriptor, path);
  content(file);
  file.sync();
  file.close();
}

}  // namespace

void write_file_atomically(const std::string& path, const std::function<void(FileWriter&)>& content) {
  const fs::path target = followed(path);
  const fs::path directory = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    throw input_error(path + ": found no directory '" + directory.string() + "', expected one; make it first");
  }
  struct stat status {};
  const bool exists = ::stat(target.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) throw input_error(path + ": found a directory, expected the name of a file");
  if (!target.has_filename()) throw input_error(path + ": found no file name, expected one");
  if (exists && !S_ISREG(status.st_mode)) return write_directly(target, path, content);

  auto [descriptor, name] = open_temporary(target, path);
  Temporary temporary(name);
  Descriptor file(descriptor, path);
  if (exists && ::fchmod(file.number(), status.st_mode & 07777) != 0) refuse(path, errno);
  content(file);
  file.sync();
  file.close();
  temporary.rename_to(target, path);

  // Without this the new name itself may be lost when the power fails.
  const int opened = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;  // a directory may allow writing and not reading; the file is complete all the same
  Descriptor(opened, path).sync();
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(path, [content](FileWriter& file) { file.write(content); });
}

}  // namespace spillway
