from ._example_traces import example_file as example_file
from ._example_traces import example_traces as example_traces
from ._programs import Program as Program
from ._programs import RecordedProgram as RecordedProgram
from ._programs import example_programs as example_programs
from ._programs import recorded_program as recorded_program
