"""Users and groups, with everything of stock admin that flaggate's pages use, too."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

admin.site.unregister([Group, User])


class MemberInline(admin.TabularInline):
    model = User.groups.through
    autocomplete_fields = ("user",)


@admin.register(Group)
class StockGroupAdmin(GroupAdmin):
    inlines = (MemberInline,)
    search_help_text = "Search in names."


@admin.register(User)
class StockUserAdmin(UserAdmin):
    autocomplete_fields = ("groups",)
    filter_horizontal = ("user_permissions",)
