#include "core/io/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/executor/data/support.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// While it lives no file of this process grows beyond `bytes`: what a full disk does, at a place we choose.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(AtomicFile, ReplacesTheOldContentAndLeavesNothingElse) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "a", "old and longer");
  write_file_atomically(directory / "a", "new");
  EXPECT_EQ(content_of(directory / "a"), "new");
  EXPECT_THAT(directory.names(), ElementsAre("a"));
}

TEST(AtomicFile, ShowsNothingUnderItsNameUntilAllIsWritten) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "a", "old");
  write_file_atomically(directory / "a", [&](FileWriter& file) {
    file.write(std::string_view("half"));
    EXPECT_EQ(content_of(directory / "a"), "old");
    file.write(std::string_view(" whole"));
  });
  EXPECT_EQ(content_of(directory / "a"), "half whole");
}

TEST(AtomicFile, KeepsTheOldContentWhenTheDiskIsFull) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a";
  write_file_atomically(path, "old");
  {
    const FileSizeLimit limit(1000);
    const std::string large(5000, 'x');
    EXPECT_EQ(complaint(path, ExitCode::machine, [&] { write_file_atomically(path, large); }),
              ": can't be written: File too large");
  }
  EXPECT_EQ(content_of(path), "old");
  EXPECT_THAT(directory.names(), ElementsAre("a"));
}

TEST(AtomicFile, LeavesNothingBehindWhenTheContentThrows) {
  const TemporaryDirectory directory;
  const auto content = [](FileWriter& file) {
    file.write(std::string_view("half"));
    throw input_error("changed my mind");
  };
  EXPECT_THROW(write_file_atomically(directory / "a", content), Error);
  EXPECT_THAT(directory.names(), IsEmpty());
}

TEST(AtomicFile, WritesToADeviceInsteadOfReplacingIt) {
  EXPECT_EQ(complaint("/dev/full", ExitCode::machine, [] { write_file_atomically("/dev/full", "text"); }),
            ": can't be written: No space left on device");
  write_file_atomically("/dev/null", "text");
  struct stat status {};
  ASSERT_EQ(stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST(AtomicFile, FollowsASymbolicLink) {
  const TemporaryDirectory directory;
  std::filesystem::create_symlink("target", directory / "link");
  write_file_atomically(directory / "link", "text");
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "link"));
  EXPECT_EQ(content_of(directory / "target"), "text");
}

TEST(AtomicFile, KeepsThePermissionsOfTheFileItReplaces) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "a", "old");
  ASSERT_EQ(chmod((directory / "a").c_str(), 0640), 0);
  write_file_atomically(directory / "a", "new");
  struct stat status {};
  ASSERT_EQ(stat((directory / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST(AtomicFile, RefusesADirectoryThatIsMissing) {
  const TemporaryDirectory directory;
  const std::string path = directory / "none/a";
  EXPECT_EQ(complaint(path, ExitCode::input, [&] { write_file_atomically(path, "text"); }),
            ": found no directory '" + (directory / "none") + "', expected one; make it first");
}

TEST(AtomicFile, RefusesTheNameOfADirectory) {
  const TemporaryDirectory directory;
  EXPECT_EQ(complaint(directory.path(), ExitCode::input, [&] { write_file_atomically(directory.path(), "text"); }),
            ": found a directory, expected the name of a file");
}

}  // namespace
}  // namespace spillway
