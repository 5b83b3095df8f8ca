#include "cli/help.h"

#include <map>

#include "core/error.h"

namespace spillway {
namespace {

constexpr const char* kGeneral = R"(usage: spillway COMMAND [options]

Trains networks that are larger than the device's memory: measures a model op
by op, plans what moves to host memory and when, says what a step will cost,
and runs exactly that plan.

  profile    measure a model on a device                  MODEL -> trace
  tune       find a plan for a machine and a capacity     trace -> plan
  lower      turn a plan into kernels, copies, addresses  plan -> schedule
  verify     check that a schedule is safe to run
  simulate   predict a step                               plan -> timeline
  sweep      predict steps on many machines, at many      trace -> curves
             capacities
  execute    train by a plan                              plan -> weights
  compare    two timelines: predicted against measured
  show       any of our files on one screen
  list       models, platforms, policies, devices
  doctor     what this machine can do, and what is missing

'spillway COMMAND --help' tells more. Exit codes: 0 yes; 1 no (no plan fits, not
safe, differs); 2 input or flags; 3 the machine; 70 a bug of ours.

examples:
  spillway profile mlp --batch 32 -o mlp.trace.json
  spillway tune mlp.trace.json --capacity 60% -o mlp.plan.json
)";

const std::map<std::string, const char*>& commands() {
  static const std::map<std::string, const char*> texts{
      {"profile", R"(usage: spillway profile MODEL [options] -o TRACE
       spillway profile --machine [options] -o PLATFORM

Times every distinct op of a model's training step alone, one at a time, with
and without copies beside it; so the model may be larger than the memory. Under
mpirun the ranks measure together, and their all-reduces too.

what to measure:
  MODEL                a built-in model; 'spillway list models' lists them
  --set KEY=VALUE      a setting of the model; may be repeated
  --optimizer NAME     adam or sgd [the model's own]
  --batch LIST         samples per step, one or several: 1,2,4 [1]
  --layout NAME        how activations lie in memory: channels_last or
                       channels_first [the faster one, found by trying both on
                       a GPU; on a CPU channels_last]
  --machine            only the machine's links: writes a platform file, which
                       --platform takes
where:
  --device DEVICE      cpu[:threads=N], or cuda[:N] for a GPU [cpu: one thread
                       fewer than cores]
  --tf32               on a GPU: also kernels for tensor cores, which round the
                       inputs of convolutions and products to TF32; the same
                       as --device cuda:N,tf32
result:
  -o, --output FILE    the trace or the platform, JSON

examples:
  spillway profile mlp --set width=256 --batch 256,512 -o mlp.trace.json
  spillway profile unet3d --set side=32 --set base=4 -o unet.trace.json
  mpirun -n 2 --bind-to none spillway profile --machine -o here.json
)"},
      {"tune", R"(usage: spillway tune TRACE [options] -o PLAN

Finds what to keep in the device's memory and what to move to the host and
back, and when, so that a step is as short as possible within a capacity.

the machine:
  --platform NAME      a preset: 'spillway list platforms' lists them; or a
                       platform file; or a device such as cpu:link=0.85GB/s:
                       the traced machine with that link [the traced machine]
  --gpu NAME           another GPU in it: v100, a100, h100, l4, rtx4090, ...
  --set PATH=VALUE     another figure in it, by its keys; may be repeated:
                       host_link.bandwidth_bytes_per_second=64GB/s
  --gpus N             GPUs of a node [all]; on a CPU, its ranks [1]
  --nodes N            nodes [1]
  --capacity SIZE      memory the arena may use: 12GiB, 12e9, or a share of the
                       footprint: 45% [a GPU's memory less 5 %; on a CPU the
                       footprint]
  --host-capacity SIZE memory the host pool may use [no limit]
the plan:
  --batch N            a profiled batch, or auto: the one with the most samples
                       per second among those that fit [the smallest profiled]
  --micro-batches N    batches whose gradients are added up before one update:
                       trains at N times the batch in about its memory [1]
  --policy NAME        'spillway list policies' lists them [threshold]
  --keep PATTERN       buffers that must stay; may be repeated: 'enc0.*'
  --swap PATTERN       buffers that must leave whenever they can
  --recompute PATTERN  no policy recomputes yet: refused
  --evaluations N      candidates that a searching policy may try [400]
result:
  -o, --output PLAN    the plan, JSON
  --json               the facts as JSON on stdout

examples:
  spillway tune mlp.trace.json --capacity 60% -o mlp.plan.json
  spillway tune mlp.trace.json --batch auto --platform dgx1-v100 --gpus 4 \
      --set host_link.bandwidth_bytes_per_second=64GB/s -o mlp.auto.json
)"},
      {"lower", R"(usage: spillway lower PLAN -o SCHEDULE

Turns a plan into its schedule: every kernel and copy, its stream, the bytes
that it reads and writes, and what it waits for. 'simulate' and 'execute' do
this by themselves; a schedule is for those who want to look or to edit.

  -o, --output SCHEDULE   the schedule, JSON

examples:
  spillway lower mlp.plan.json -o mlp.schedule.json
  spillway verify mlp.schedule.json
)"},
      {"verify", R"(usage: spillway verify SCHEDULE

Checks that a schedule is safe to run whatever the durations: memory holds, no
race, no deadlock, every op reads what the plain step would give it, and the
step ends as it began. Prints one line per violation, with the rule's number
in docs/verifier.md; exit code 1 if there is any.

examples:
  spillway lower mlp.plan.json -o mlp.schedule.json
  spillway verify mlp.schedule.json
)"},
      {"simulate", R"(usage: spillway simulate PLAN|SCHEDULE [options]

Predicts one step.

the machine:
  --platform NAME      a preset: 'spillway list platforms' lists them; or a
                       platform file; or a device such as cpu:link=0.85GB/s:
                       the traced machine with that link [the plan's]
  --gpu NAME           another GPU in it: v100, a100, h100, l4, rtx4090, ...
  --set PATH=VALUE     another figure in it, by its keys; may be repeated:
                       host_link.bandwidth_bytes_per_second=64GB/s
  --gpus N             GPUs of a node; on a CPU, its ranks [the plan's]
  --nodes N            nodes [the plan's]
how:
  --engine NAME        replica: ours, fast, equal GPUs are run once; or simgrid:
                       SimGrid's, every GPU for itself, without interference of
                       copies with ops [replica]
result:
  --timeline FILE      what runs when, as a Chrome trace: open it in Perfetto
  --json               the facts as JSON on stdout

examples:
  spillway simulate mlp.plan.json
  spillway simulate mlp.plan.json --platform cpu:link=0.1GB/s \
      --timeline mlp.predicted.json
)"},
      {"sweep", R"(usage: spillway sweep TRACE --platform NAME,... [options]

Tunes for every combination of machines, capacities, batches and policies, and
predicts a step for each. What can't be is told and left out. LIST: 1,2,4.

the machines:
  --platform NAME,...  presets: 'spillway list platforms' lists them; platform
                       files; devices such as cpu:link=0.85GB/s: the traced
                       machine with that link
  --gpu NAME           another GPU in all of them: v100, a100, h100, l4, ...
  --gpus LIST          GPUs of a node [all]; on a CPU, its ranks [1]
  --nodes LIST         nodes [1]
  --set PATH=VALUE     another figure in all of them, by its keys; may be
                       repeated: host_link.bandwidth_bytes_per_second=64GB/s
the plans:
  --capacity LIST      memory the arena may use: 12GiB, 12e9, or shares of the
                       footprint at the batch: 40%,60%,80% [a GPU's memory
                       less 5 %; on a CPU the footprint]
  --batch LIST         profiled batches [the smallest profiled]
  --policy LIST        'spillway list policies' lists them [threshold]
  --evaluations N      candidates that a searching policy may try [400]
how it runs:
  --jobs N             points at a time [cores]; under mpirun of each rank
  --points FILE        keep every point in FILE as soon as it is known; the
                       same command again, also with longer lists, computes
                       only what is missing there
result:
  --csv FILE           one row a point
  --plot FILE          step time against capacity, SVG
  --json               the points as JSON on stdout

examples:
  spillway sweep mlp.trace.json --platform gh200,dgx1-v100 --gpus 1,8 \
      --capacity 50%,70%,90% --plot mlp.svg
  spillway sweep mlp.trace.json --platform cpu:link=0.1GB/s,cpu \
      --capacity 60%,80% --points mlp.points --csv mlp.csv
)"},
      {"execute", R"(usage: spillway execute PLAN|SCHEDULE [options]

Trains by a plan. Losses and weights are the same to the last bit whatever the
plan; Ctrl-C ends after the step that is running.

how long and how:
  --steps N              steps in all [10]
  --seed S               of weights, data order, dropout [1]
  --learning-rate RATE   0.01, step:BASE,FACTOR,STEPS or cosine:BASE,STEPS
                         [the model's]
  --device DEVICE        cpu[:link=0.85GB/s,threads=N] or cuda[:N] [the plan's]
data and weights:
  --data DIR             a .npy file per input, named after it: image.npy,
                         labels.npy; first extent: samples [synthetic data]
  --weights FILE         start from these (safetensors) [initial values]
  --save FILE            write the trained weights (safetensors)
  --checkpoint DIR       write checkpoints there, and one at the end
  --checkpoint-every N   steps between two [100]
  --resume               go on from the newest checkpoint in DIR, if any
result:
  --timeline FILE        then run the last step again and time its instructions;
                         says what that costs
  --json                 the facts as JSON on stdout

examples:
  spillway execute mlp.plan.json --steps 20 --save mlp.safetensors
  spillway execute mlp.plan.json --timeline mlp.measured.json
)"},
      {"compare", R"(usage: spillway compare TIMELINE TIMELINE [options]

Two timelines of one plan, predicted against measured: step, stall, streams,
kinds of op, and the ops that differ most. Errors are first / second - 1.

  --tolerance PERCENT    exit code 1 if the steps differ by more: 5%
  --json                 the facts as JSON on stdout

examples:
  spillway simulate mlp.plan.json --timeline mlp.predicted.json
  spillway execute mlp.plan.json --timeline mlp.measured.json
  spillway compare mlp.predicted.json mlp.measured.json
)"},
      {"show", R"(usage: spillway show FILE|PLATFORM

Any of our files on one screen: a trace's costs, a plan's swaps and its bytes
over the step against the capacity, a schedule's, a timeline's streams; a
platform's topology and where its figures come from, also of a preset.

examples:
  spillway show dgx1-v100
  spillway show mlp.trace.json
  spillway show mlp.plan.json
)"},
      {"list", R"(usage: spillway list models|platforms|policies|devices

examples:
  spillway list models
  spillway list platforms
  spillway list policies
)"},
      {"doctor", R"(usage: spillway doctor

What this machine can do, and what is missing for the rest.

examples:
  spillway doctor
)"}};
  return texts;
}

}  // namespace

std::string general_help() {
  return kGeneral;
}

std::string command_help(const std::string& command) {
  const auto found = commands().find(command);
  SPILLWAY_CHECK(found != commands().end(), "no help for '" + command + "'");
  return found->second;
}

}  // namespace spillway
