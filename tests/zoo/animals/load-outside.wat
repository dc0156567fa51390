;; Reads outside of its memory.
(module
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.load offset=0xffffffff (i32.const -1)))
)
