;; Writes all of its memory, over and over.
(module
  (memory (export "memory") 500)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop
      (memory.fill (i32.const 0) (i32.const 0x55) (i32.const 32768000))
      (br 0))
    unreachable)
)
