from limner.loops.optimizers import ClipConfig, OptimizerConfig
from limner.loops.presets import modern_fit


def test_what_a_preset_does_not_say_is_left():
    config = modern_fit(1000, 4, 5e-4)
    assert (config.steps, config.batch_size, config.optimizer) == (1000, 4, OptimizerConfig(learning_rate=5e-4))
    assert (config.clip, config.ema_decay, config.precision) == (ClipConfig(), 0.999, "bfloat16")


def test_the_rate_rises_then_falls_to_zero():
    schedule = modern_fit(1000, 4, 5e-4, warmup_steps=10).schedule
    assert schedule.factor_at(0, 0.0) == 0.1
    assert schedule.factor_at(500, 0.5) == 0.5
    assert schedule.factor_at(1000, 1.0) == 0.0


def test_a_norm_is_clipped():
    assert modern_fit(1000, 4, 5e-4, clip_norm=2.0).clip == ClipConfig(kind="norm", threshold=2.0)
