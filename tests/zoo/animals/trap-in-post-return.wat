;; Has ended, and breaks while it cleans up.
(module
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.const 64))
  (func (export "cabi_post_jackfield:call/story@0.1.0#run") (param i32) unreachable)
)
