package org.mobilebnn.demo;

/** The screens that the navigation leads to. */
enum Destination {
    DRAW(R.id.draw, R.drawable.ic_draw, R.string.screen_draw),
    CAMERA(R.id.camera, R.drawable.ic_camera, R.string.screen_camera),
    BENCHMARK(R.id.benchmark, R.drawable.ic_benchmark, R.string.screen_benchmark);

    /** Of its button. */
    final int id;
    final int icon;
    final int title;

    Destination(int id, int icon, int title) {
        this.id = id;
        this.icon = icon;
        this.title = title;
    }
}
