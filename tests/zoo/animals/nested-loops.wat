;; Loops in loops, each of which would end.
(module
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (local $i i32) (local $j i32)
    (loop $outer
      (local.set $j (i32.const 0x7fffffff))
      (loop $inner (br_if $inner (local.tee $j (i32.sub (local.get $j) (i32.const 1)))))
      (br_if $outer (local.tee $i (i32.add (local.get $i) (i32.const 1)))))
    (i32.const 64))
)
