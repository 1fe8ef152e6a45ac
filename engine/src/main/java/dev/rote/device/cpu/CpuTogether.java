package dev.rote.device.cpu;

import dev.rote.device.Program;
import java.util.List;

/// Programs of one lane that run as one: thread i takes numbers i, i + T, i + 2T, ... of them, one after the other, and
/// meets the other threads at the end only.
final class CpuTogether implements Program {
    private final LaneTeam team;
    private final CpuProgram[] programs;
    private final Runnable[] tasks;

    CpuTogether(LaneTeam team, List<CpuProgram> programs) {
        this.team = team;
        this.programs = programs.toArray(CpuProgram[]::new);
        this.tasks = new Runnable[Math.min(team.size(), programs.size())];
        for (int thread = 0; thread < tasks.length; thread++) {
            int first = thread;
            tasks[thread] = () -> {
                for (int number = first; number < this.programs.length; number += tasks.length) {
                    this.programs[number].runHere();
                }
            };
        }
    }

    @Override
    public void run() {
        for (CpuProgram program : programs) {
            program.requireOpen();
        }
        team.run(tasks);
        for (CpuProgram program : programs) {
            program.throwFailure();
        }
    }

    @Override
    public long memoryBytes() {
        long bytes = 0;
        for (CpuProgram program : programs) {
            bytes += program.memoryBytes();
        }
        return bytes;
    }

    @Override
    public void close() {
        for (CpuProgram program : programs) {
            program.close();
        }
    }
}
