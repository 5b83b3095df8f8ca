#include "sim/own_process.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include "core/error.h"

namespace spillway {
namespace {

constexpr std::size_t kComplaintBytes = 4096;
constexpr int kComplained = 1;

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes) : bytes_(std::max<std::size_t>(bytes, 1)) {
  data_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (data_ == MAP_FAILED)
    throw machine_error(fmt::format("{} bytes of shared memory can't be had: {}", bytes_, std::strerror(errno)));
}

SharedMemory::~SharedMemory() {
  munmap(data_, bytes_);
}

void run_in_own_process(const std::string& what, const std::function<void()>& work) {
  const SharedMemory complaint(kComplaintBytes);
  std::fflush(nullptr);  // a library that flushes in the child would write what is still buffered here once more
  const pid_t parent = getpid(), child = fork();
  if (child < 0) throw machine_error(fmt::format("{}: no process can be started: {}", what, std::strerror(errno)));
  if (child == 0) {
    // Nobody would wait for it after its parent's end, which may have come before this line.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(kComplained);
    int status = 0;
    try {
      work();
    } catch (const std::exception& error) {
      std::strncpy(static_cast<char*>(complaint.data()), error.what(), kComplaintBytes - 1);
      status = kComplained;
    }
    _exit(status);  // the parent's buffers and destructors are the parent's
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw machine_error(fmt::format("{}: its process is lost: {}", what, std::strerror(errno)));
  }
  if (WIFSIGNALED(status))
    throw machine_error(fmt::format("{}: its process was ended by signal {}", what, WTERMSIG(status)));
  if (WEXITSTATUS(status) == 0) return;
  const char* text = static_cast<const char*>(complaint.data());
  if (*text != 0) throw machine_error(fmt::format("{}: {}", what, text));
  throw machine_error(fmt::format("{}: its process ended with exit code {}", what, WEXITSTATUS(status)));
}

}  // namespace spillway
