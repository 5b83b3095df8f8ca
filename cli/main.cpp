#include "cli/commands.h"

int main(int argc, char** argv) {
  return spillway::run(argc, argv);
}
