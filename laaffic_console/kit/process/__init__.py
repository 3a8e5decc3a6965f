"""What a process of the console does beside its work: commands, interrupts, logs, memory."""
